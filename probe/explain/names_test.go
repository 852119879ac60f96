package explain

import "testing"

func TestOwners(t *testing.T) {
	for name, want := range map[string]string{
		"net/http.(*Transport).roundTrip":                   "net/http",
		"main.main":                                         "main",
		"github.com/aws/aws-sdk-go-v2/aws.init":             "github.com/aws/aws-sdk-go-v2/aws",
		"gopkg.in/yaml%2ev3.Unmarshal":                      "gopkg.in/yaml.v3",
		"slices.SortFunc[go.shape.[]example.com/x.T].func1": "slices",
		"type:.eq.net/http.response":                        "net/http",
		"memeqbody":                                         "runtime",
		"$f64.3fe0000000000000":                             "(linker)",
		"vendor/golang.org/x/text/unicode/bidi.init":        "vendor/golang.org/x/text/unicode/bidi",
	} {
		if got := (&image{goBinary: true}).owner(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, want := range map[string]string{
		demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"): "core",
		demangled("_RNvNtCs1234_7mycrate3foo3bar"):                  "mycrate",
		demangled("_ZN3Aws6Lambda7Runtime3runEv"):                   "Aws",
		demangled("_ZNSt6vectorIiSaIiEE9push_backEOi"):              "std",
		"<&T as core::fmt::Debug>::fmt":                             "core",
		"<[T] as std::slice::Concat>::concat":                       "std",
		"<http::uri::Uri as core::clone::Clone>::clone":             "http",
		"<alloc::vec::Vec<T> as core::ops::Drop>::drop":             "alloc",
		"<dyn core::any::Any>::is":                                  "core",
		"main":                                                      others,
		"<T>":                                                       others,
	} {
		if got := (&image{namespaces: true}).owner(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := (&image{}).owner("strcmp"); got != "strcmp" {
		t.Errorf("in a program without namespaces, strcmp belongs to %s", got)
	}
	for name, want := range map[string]bool{"net/http.init": true, "net/http.init.0": true, "a/b.map.init.3": true, "net/http.initialise": false, "": false, "a.glob..func2": true, "a.init.func1": true} {
		if isInit(name) != want {
			t.Errorf("isInit(%q) is %v", name, !want)
		}
	}
}

func TestImportOf(t *testing.T) {
	i := &image{modules: []string{"example.com/app", "github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/service/lambda"}}
	for pkg, want := range map[string]string{
		"github.com/aws/aws-sdk-go-v2/aws/retry":             "github.com/aws/aws-sdk-go-v2",
		"github.com/aws/aws-sdk-go-v2/service/lambda/types":  "github.com/aws/aws-sdk-go-v2/service/lambda",
		"github.com/aws/aws-sdk-go-v2/service/lambdax/types": "github.com/aws/aws-sdk-go-v2",
		"crypto/tls": "std: crypto", "runtime": "std: runtime", "main": "main", "example.com/other": "example.com/other", byKernel: byKernel,
	} {
		if got := i.importOf(pkg); got != want {
			t.Errorf("%s: %s", pkg, got)
		}
	}
}
