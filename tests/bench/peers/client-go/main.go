// Lists pods as a Go program does that cares about memory: client-go with its pager, each pod dropped when its line is printed.
//
//	client-go [-json] [-identity] names|restarts [NAMESPACE]
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/pager"
)

// Pods of one page, as every competitor asks for; also the pager's own default.
const pageSize = 500

func main() {
	json := flag.Bool("json", false, "ask for JSON, not for protobuf")
	identity := flag.Bool("identity", false, "ask for answers that are not compressed; by default they are, with gzip")
	flag.Parse()
	if err := list(*json, *identity, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintf(os.Stderr, "client-go: %v\n", err)
		os.Exit(1)
	}
}

func list(json, identity bool, task, namespace string) error {
	print, err := printer(task)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	// Both are said: without, generated clients of built-in types ask for protobuf.
	config.ContentType = "application/vnd.kubernetes.protobuf"
	if json {
		config.ContentType = "application/json"
	}
	config.AcceptContentTypes = config.ContentType
	config.DisableCompression = identity
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return encodings{next, config.ContentType, identity}
	})
	// The default, five requests a second, would be all that is measured.
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}

	out := bufio.NewWriter(os.Stdout)
	page := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return client.CoreV1().Pods(namespace).List(ctx, options)
	}
	pages := pager.New(page)
	pages.PageSize = pageSize
	err = pages.EachListItem(context.Background(), metav1.ListOptions{}, func(object runtime.Object) error {
		return print(out, object.(*corev1.Pod))
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// Refuses what was not asked for: an answer in another encoding reads the same, and would be measured under a wrong name.
type encodings struct {
	next        http.RoundTripper
	contentType string
	identity    bool
}

func (e encodings) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.next.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	if contentType := response.Header.Get("Content-Type"); contentType != e.contentType {
		return nil, fmt.Errorf("the answer is `%s`, and not `%s` as asked for", contentType, e.contentType)
	}
	if e.identity && response.Uncompressed {
		return nil, fmt.Errorf("the answer was compressed, which was not asked for")
	}
	return response, nil
}

func printer(task string) (func(*bufio.Writer, *corev1.Pod) error, error) {
	switch task {
	case "names":
		return printName, nil
	case "restarts":
		return printRestarts, nil
	}
	return nil, fmt.Errorf("the task is `%s`; it can be `names` or `restarts`", task)
}

func printName(out *bufio.Writer, pod *corev1.Pod) error {
	_, err := fmt.Fprintf(out, "%s %s\n", pod.Namespace, pod.Name)
	return err
}

func printRestarts(out *bufio.Writer, pod *corev1.Pod) error {
	for _, container := range pod.Status.ContainerStatuses {
		if container.RestartCount == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s %s %s %d\n", pod.Namespace, pod.Name, container.Name, container.RestartCount); err != nil {
			return err
		}
	}
	return nil
}
