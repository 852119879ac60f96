package explain

import (
	"math"
	"testing"
)

func TestOwners(t *testing.T) {
	for name, want := range map[string]string{
		"net/http.(*Transport).roundTrip":                   "net/http",
		"main.main":                                         "main",
		"github.com/aws/aws-sdk-go-v2/aws.init":             "github.com/aws/aws-sdk-go-v2/aws",
		"gopkg.in/yaml%2ev3.Unmarshal":                      "gopkg.in/yaml.v3",
		"slices.SortFunc[go.shape.[]example.com/x.T].func1": "slices",
		"type:.eq.net/http.response":                        "net/http",
		"memeqbody":                                         "runtime",
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
		t.Errorf("in a program of C alone: %s", got)
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

// What is cut from a name in a box is its beginning.
func TestNamesInBoxes(t *testing.T) {
	for name, want := range map[string]string{
		"net/http":                               "net/http",
		"github.com/aws/aws-sdk-go-v2/aws":       "aws",
		"hyper_util::client::legacy::Client":     "Client",
		"std::sys::env::getenv::{closure#0}":     "{closur.",
		"averylongfunctionname":                  "averylo.",
		"net/http.(*Transport).roundTrip":        "http.(*.",
		"<hyper::Body as http::Body>::poll_data": "poll_da.",
	} {
		if got := fit(name, 6*8+6); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if fit("main", 12) != "" {
		t.Error("two letters say nothing")
	}
}

// Boxes fill the rectangle in proportion, none outside of it.
func TestTreemapKeepsAreas(t *testing.T) {
	items := []*Item{{ReadKiB: 600}, {ReadKiB: 300}, {ReadKiB: 80}, {ReadKiB: 16}, {ReadKiB: 4}, {ReadKiB: 0}}
	var area float64
	boxes := treemap(items, 10, 20, 400, 300)
	for _, b := range boxes {
		area += b.W * b.H
		if want := float64(b.Item.ReadKiB) * 400 * 300 / 1000; math.Abs(b.W*b.H-want) > 1e-6*want {
			t.Errorf("%d KiB: %.0f of %.0f", b.Item.ReadKiB, b.W*b.H, want)
		}
		if b.X < 10-1e-9 || b.Y < 20-1e-9 || b.X+b.W > 410+1e-6 || b.Y+b.H > 320+1e-6 {
			t.Errorf("%+v lies outside", b)
		}
	}
	if len(boxes) != 5 || math.Abs(area-400*300) > 1 {
		t.Errorf("%d boxes of %.0f", len(boxes), area)
	}
	if treemap(nil, 0, 0, 100, 100) != nil || treemap(items, 0, 0, 0, 0) != nil {
		t.Error("boxes of nothing")
	}
}
