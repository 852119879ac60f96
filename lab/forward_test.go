package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// A service may answer before net/http has looked for more than the body's length. The server has closed the body then.
func TestForwardedBodiesEndAtTheirLength(t *testing.T) {
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:8000"}
	for _, text := range []string{"{}", ""} {
		in := httptest.NewRequest(http.MethodPost, "http://dynamodb.us-east-1.amazonaws.com/?a=1", strings.NewReader(text))
		in.Body = closed{strings.NewReader(text)}
		p := &httputil.ProxyRequest{In: in, Out: in.Clone(t.Context())}
		if text == "" {
			p.Out.Body = http.NoBody // as ReverseProxy has it
		}
		Door{Name: "dynamodb", URL: to}.forward(p)
		if got, err := io.ReadAll(p.Out.Body); string(got) != text || err != nil {
			t.Errorf("the body is %q, %v, want %q", got, err, text)
		}
		if p.Out.Host != "dynamodb.us-east-1.amazonaws.com" || p.Out.URL.String() != "http://127.0.0.1:8000/?a=1" {
			t.Errorf("the request is for %s at %s", p.Out.Host, p.Out.URL)
		}
	}
}

// closed is a body that has its bytes, and an error after them.
type closed struct{ *strings.Reader }

func (c closed) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = http.ErrBodyReadAfterClose
	}
	return n, err
}

func (closed) Close() error { return nil }
