// Judges names and label selectors with apimachinery: a question on each line of standard input, a letter for each on standard output.
//
// A question is a kind, a tab, and a string in base64; a selector that podlens takes has podlens' own rendering of it after another tab.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
)

// What is answered.
const (
	refused = 'r'
	taken   = 't'
	// Taken, and podlens' rendering means something else.
	changed = 'c'
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if err := out.WriteByte(judge(fields[0], fields[1:])); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

func judge(kind string, fields []string) byte {
	text := decode(fields[0])
	var problems []string
	switch kind {
	case "namespace":
		problems = validation.IsDNS1123Label(text)
	case "pod":
		// k8s.io/kubernetes pkg/apis/core/validation: ValidatePodName
		problems = validation.IsDNS1123Subdomain(text)
	case "selector":
		return selector(text, fields[1:])
	default:
		panic("no such kind: " + kind)
	}
	if len(problems) > 0 {
		return refused
	}
	return taken
}

func selector(text string, rendered []string) byte {
	want, err := labels.Parse(text)
	if err != nil {
		return refused
	}
	if len(rendered) > 0 {
		got, err := labels.Parse(decode(rendered[0]))
		if err != nil || !slices.Equal(meaning(got), meaning(want)) {
			return changed
		}
	}
	return taken
}

// meaning has each requirement once, whichever way it is written: `a=b` and `a in (b)` are the same.
func meaning(selector labels.Selector) []string {
	var all []string
	requirements, _ := selector.Requirements()
	for _, r := range requirements {
		operator, values := r.Operator(), r.Values().List()
		switch operator {
		case selection.Equals, selection.DoubleEquals:
			operator = selection.In
		case selection.NotEquals:
			operator = selection.NotIn
		case selection.GreaterThan, selection.LessThan:
			// A number, of which a selector has exactly one, whatever its zeros.
			number, err := strconv.ParseInt(values[0], 10, 64)
			if err != nil {
				panic(err)
			}
			values[0] = strconv.FormatInt(number, 10)
		}
		all = append(all, fmt.Sprintf("%s %s %q", r.Key(), operator, values))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func decode(field string) string {
	bytes, err := base64.StdEncoding.DecodeString(field)
	if err != nil {
		panic(err)
	}
	return string(bytes)
}
