// Resolves kubeconfigs with client-go: a JSON case on each line of standard input, its outcome on each line of standard output.
//
// As a library's user does: without kubectl's own default of http://localhost:8080, and up to the transport, where what is wrong with
// certificates is found.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// Case is what a user says.
type Case struct {
	Kubeconfig string            // the environment's KUBECONFIG
	Home       string            // the user's home
	Flags      map[string]string // by kubectl's names; a switch has any value
	Groups     []string          // --as-group
}

// Outcome is what client-go makes of it. No secret is in it.
type Outcome struct {
	Errors      []string // what is wrong; all else is empty then
	Server      string
	Namespace   string
	Authority   string // a file, "data", "anybody", or nothing
	Certificate string // a file, "data", or nothing
	Credentials string // "token", "file PATH", "basic", "exec COMMAND", or nothing
	ServerName  string
	Proxy       string
	User        string
	UID         string
	Groups      []string
	Extra       map[string][]string
}

func main() {
	// What goes wrong is in the outcomes; client-go logs some of it, too.
	klog.SetLogger(logr.Discard())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		outcome, err := resolve(c)
		if err != nil {
			outcome = Outcome{Errors: messages(err)}
		}
		if err := out.Encode(outcome); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func resolve(c Case) (Outcome, error) {
	if err := os.Setenv("KUBECONFIG", c.Kubeconfig); err != nil {
		return Outcome{}, err
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if c.Kubeconfig == "" {
		// The package asked for the home when it was loaded.
		rules.Precedence = []string{filepath.Join(c.Home, ".kube", "config")}
	}
	rules.MigrationRules = nil
	rules.WarnIfAllMissing = false
	rules.ExplicitPath = c.Flags["kubeconfig"]
	_, insecure := c.Flags["insecure-skip-tls-verify"]
	// As k8s.io/cli-runtime pkg/genericclioptions/config_flags.go has it.
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: c.Flags["context"],
		Context:        clientcmdapi.Context{Cluster: c.Flags["cluster"], AuthInfo: c.Flags["user"]},
		ClusterInfo: clientcmdapi.Cluster{
			Server:                c.Flags["server"],
			TLSServerName:         c.Flags["tls-server-name"],
			CertificateAuthority:  c.Flags["certificate-authority"],
			InsecureSkipTLSVerify: insecure,
		},
		AuthInfo: clientcmdapi.AuthInfo{
			ClientCertificate: c.Flags["client-certificate"],
			ClientKey:         c.Flags["client-key"],
			TokenFile:         c.Flags["token-file"],
			Impersonate:       c.Flags["as"],
			ImpersonateGroups: c.Groups,
		},
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return Outcome{}, err
	}
	if _, err := rest.TransportFor(config); err != nil {
		return Outcome{}, fmt.Errorf("transport: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return Outcome{}, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{
		Server:      base.String(),
		Namespace:   namespace,
		Authority:   source(config.CAFile, config.CAData),
		Certificate: source(config.CertFile, config.CertData),
		Credentials: credentials(config),
		ServerName:  config.ServerName,
		User:        config.Impersonate.UserName,
		UID:         config.Impersonate.UID,
		Groups:      config.Impersonate.Groups,
		Extra:       config.Impersonate.Extra,
	}
	if config.Insecure {
		outcome.Authority = "anybody"
	}
	if config.Proxy != nil {
		proxy, err := config.Proxy(nil)
		if err != nil {
			return Outcome{}, err
		}
		outcome.Proxy = proxy.Redacted()
	}
	return outcome, nil
}

func source(file string, data []byte) string {
	if len(data) > 0 {
		return "data"
	}
	return file
}

// In the order in which the transport asks: a file's token replaces the other, and a plugin comes last.
func credentials(config *rest.Config) string {
	switch {
	case config.BearerTokenFile != "":
		return "file " + config.BearerTokenFile
	case config.BearerToken != "":
		return "token"
	case config.Username != "":
		return "basic"
	case config.ExecProvider != nil && config.CertFile == "" && len(config.CertData) == 0:
		return "exec " + config.ExecProvider.Command
	}
	return ""
}

func messages(err error) []string {
	if many, ok := err.(interface{ Errors() []error }); ok {
		var all []string
		for _, err := range many.Errors() {
			all = append(all, messages(err)...)
		}
		return all
	}
	return []string{strings.ReplaceAll(err.Error(), "\n", " ")}
}
