// Prints rows with the code of kubectl: a case on each line of standard input, what it gives on each line of standard output.
//
// A case is JSON: the rows, as objects without the keys that have no value; what is asked (`jsonpath`, `jsonpath-as-json`,
// `custom-columns` or `sort-by`); and its argument. The answer is JSON, too: what was printed, or an error.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/kubectl/pkg/cmd/get"
)

type question struct {
	// JSON text, so that its numbers are read as kubectl reads those of an API server.
	Rows     string `json:"rows"`
	Kind     string `json:"kind"`
	Argument string `json:"argument"`
}

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		output, err := ask(q)
		a := answer{Output: output}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func ask(q question) (output string, err error) {
	// client-go panics on a few templates.
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	list := &unstructured.UnstructuredList{Object: map[string]any{}}
	var rows []map[string]any
	if err := utiljson.Unmarshal([]byte(q.Rows), &rows); err != nil {
		panic(err)
	}
	for _, row := range rows {
		list.Items = append(list.Items, unstructured.Unstructured{Object: row})
	}
	var buffer bytes.Buffer
	switch q.Kind {
	case "jsonpath", "jsonpath-as-json":
		template, allow := "", true
		flags := genericclioptions.JSONPathPrintFlags{TemplateArgument: &template, AllowMissingKeys: &allow}
		printer, err := flags.ToPrinter(q.Kind + "=" + q.Argument)
		if err != nil {
			return "", err
		}
		err = printer.PrintObj(list, &buffer)
		return buffer.String(), err
	case "custom-columns":
		printer, err := get.NewCustomColumnsPrinterFromSpec(q.Argument, unstructured.UnstructuredJSONScheme, false)
		if err != nil {
			return "", err
		}
		err = printer.PrintObj(list, &buffer)
		return buffer.String(), err
	case "sort-by":
		objects := make([]runtime.Object, len(list.Items))
		for i := range list.Items {
			objects[i] = &list.Items[i]
		}
		if _, err := get.SortObjects(unstructured.UnstructuredJSONScheme, objects, q.Argument); err != nil {
			return "", err
		}
		for _, object := range objects {
			fmt.Fprintln(&buffer, object.(*unstructured.Unstructured).Object["name"])
		}
		return buffer.String(), nil
	}
	panic("no such kind: " + q.Kind)
}
