package explain

import (
	"strings"
	"testing"
)

// The advice about a package must come from its pages and the forecast alone, so the test measures nothing.
func TestAdvice(t *testing.T) {
	usual := Forecast{Init: &[3]float64{49, 33, 66}, Fixed: 12, MsPerKiB: 0.01, Base: 0.5}
	item := func(name string, read, touched, init int, by ...string) *Item {
		i := &Item{Name: name, ReadKiB: read, TouchedKiB: touched, init: init, because: map[string]int{}}
		for _, f := range by {
			i.because[f] = 4
		}
		return i
	}
	for name, test := range map[string]struct {
		forecast Forecast
		files    []*Explanation
		want     []string
		not      string
	}{
		"a Go program": {usual, []*Explanation{{Package: true, tls: true, Unused: []string{"std: html"}, Imports: []*Item{item("std: runtime", 2000, 900, 0), item("std: crypto", 550, 200, 100, "crypto/tls.(*Config).Clone"),
			item("example.com/metrics", 120, 40, 38), item("std: internal", 300, 90, 0), item("std: io", 80, 4, 4)}}},
			[]string{"49 ms [33, 66] predicted on AWS as ZIP: 23 Go's runtime (2300 KiB), 5.5 crypto (550 KiB), 1.2 example.com/metrics (120 KiB), 0.8 io (80 KiB), 12 what any package takes",
				"TLS is linked, and opened no connection", "up to 5.5 ms less (550 KiB); example.com/metrics: all 40 KiB wanted of it were for its initialization: without it up to 1.2 ms less",
				"What costs nothing? html: linked"}, "io: all"},
		"TLS that was used": {usual, []*Explanation{{Package: true, tls: true, Imports: []*Item{item("std: crypto", 550, 200, 0, "crypto/tls.(*Conn).clientHandshake")}}}, []string{"nothing stands out"}, "TLS is linked"},
		"no TLS":            {usual, []*Explanation{{Package: true, Imports: []*Item{item("std: crypto", 550, 200, 0)}}}, []string{"nothing stands out"}, "TLS"},
		"relocations and symbols": {usual, []*Explanation{{Package: true, Owners: []*Item{item("main", 100, 50, 0)}, Sections: []*Item{item(".rela.dyn", 200, 200, 0), item(".symtab", 50, 0, 0), item(".text", 90, 90, 0)}}},
			[]string{"1.0 main (100 KiB)", "link without -pie): without it up to 2.0 ms less (200 KiB); read-ahead read symbol tables too", "0.5 ms less (50 KiB)"}, "Go's runtime"},
		"the base's files count in part": {usual, []*Explanation{{Owners: []*Item{item("(file)", 400, 0, 0)}}}, []string{"2.0 the base's files (400 KiB)"}, "What costs nothing"},
		"UPX":                            {Forecast{Init: usual.Init, MsPerKiB: 0.01, CPU: 31}, []*Explanation{{Package: true, packed: true, Owners: []*Item{item("(code)", 600, 600, 0)}}}, []string{"31 CPU beyond the usual", "unpacking takes 31 ms of CPU before main"}, ""},
		"nothing is predicted":           {Forecast{MsPerKiB: 0.01}, []*Explanation{{Package: true, Owners: []*Item{item("main", 100, 50, 0)}}}, []string{"by the calibration's price of a KiB, in ms: 1.0 main"}, "what any package takes"},
		"no price":                       {Forecast{}, []*Explanation{{Package: true, Owners: []*Item{item("main", 100, 50, 0)}}}, []string{"What could go?"}, "Where does INIT go?"},
	} {
		var b strings.Builder
		for _, a := range (Page{Forecast: test.forecast, Files: test.files}).Advice() {
			b.WriteString(a.Question + " " + a.Answer + "\n")
		}
		for _, want := range test.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, &b)
			}
		}
		if test.not != "" && strings.Contains(b.String(), test.not) {
			t.Errorf("%s: %q in\n%s", name, test.not, &b)
		}
	}
}
