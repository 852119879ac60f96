package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyProgramsOfThisMachineAreAnswered(t *testing.T) {
	server := httptest.NewServer(Handler(nil))
	defer server.Close()
	for _, c := range []struct {
		host, origin, site string
		answered           bool
	}{
		{"", "", "", true},
		{"localhost:1234", "", "", true},
		{"127.0.0.1", "", "", true},
		{"127.9.9.9:80", "", "", true},
		{"[::1]", "", "", true},
		{"[::1]:80", "", "", true},
		{"evil.example", "", "", false},
		{"evil.example:80", "", "", false},
		{"127.0.0.1.evil.example:80", "", "", false},
		{"localhost.evil.example", "", "", false},
		{"192.0.2.1:80", "", "", false},
		{"0.0.0.0:80", "", "", false},
		{"", "http://evil.example", "", false},
		{"", "http://localhost:3000", "", false},
		{"", "null", "", false},
		{"", "", "cross-site", false},
		{"", "", "same-site", false},
		{"", "", "same-origin", true},
		{"", "", "none", true},
	} {
		// A web page can send this without a preflight request, because the type is text/plain.
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/nothing", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "text/plain")
		if c.host != "" {
			request.Host = c.host
		}
		if c.origin != "" {
			request.Header.Set("Origin", c.origin)
		}
		if c.site != "" { // a page's image has no Origin
			request.Header.Set("Sec-Fetch-Site", c.site)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		want := http.StatusForbidden
		if c.answered {
			want = http.StatusNotFound // there is no such operation
		}
		if response.StatusCode != want || response.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Host %q, Origin %q, Sec-Fetch-Site %q: %s %s, want %d", c.host, c.origin, c.site, response.Status, text, want)
		}
	}
}
