package arm

import "testing"

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, id string
		want        bool
	}{
		{"nethttp/zip", "nethttp/zip", true},
		{"nethttp/*", "nethttp/image-minimal", true},
		{"*/zip", "nethttp/zip", true},
		{"*/zip", "nethttp/image", false},
		{"rawtcp*/zip", "rawtcp-upx/zip", true},
		{"rawtcp", "rawtcp/image", true}, // no slash: the bootstrap with any package
		{"rawtcp", "rawtcp-upx/image", false},
		{"*", "rawtcp-upx/image", true},
		{"zip", "nethttp/zip", false},
		{"", "nethttp/zip", false},
	} {
		if got, err := Match(test.pattern, test.id); err != nil || got != test.want {
			t.Errorf("Match(%q, %q) = %t, %v; want %t", test.pattern, test.id, got, err, test.want)
		}
	}
	if _, err := Match("[", "nethttp/zip"); err == nil {
		t.Error("no error for the invalid pattern [")
	}
}
