package api_test

import (
	"net/http/httptest"
	"testing"

	"github.com/twinstart/twinstart/lab/api"
)

func TestResponsesOfFunctionURLs(t *testing.T) {
	for _, test := range []struct {
		answer, body string
		status       int
	}{
		{`{"statusCode":201,"headers":{"X-A":"b","Content-Type":"text/plain"},"cookies":["k=v"],"body":"done"}`, "done", 201},
		{`{"statusCode":200,"body":"ZG9uZQ==","isBase64Encoded":true}`, "done", 200},
		{`{"statusCode":99}`, `{"Message":"Internal Server Error"}` + "\n", 502},
		{`"plain"`, `"plain"`, 200},
	} {
		w := httptest.NewRecorder()
		api.URLResponse(w, []byte(test.answer))
		if w.Code != test.status || w.Body.String() != test.body || test.status == 201 && (w.Header().Get("X-A") != "b" || w.Header().Get("Set-Cookie") != "k=v") {
			t.Errorf("%s: %d %v %s", test.answer, w.Code, w.Header(), w.Body)
		}
	}
}
