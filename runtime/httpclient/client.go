// Package httpclient implements runtimeapi.Transport over net/http, for the bootstraps that link net/http.
package httpclient

import (
	"bytes"
	"io"
	"net/http"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// client is a Transport that keeps one connection alive.
type client struct {
	http      http.Client
	base      string
	userAgent string
	body      bytes.Buffer // of the last response
}

// New returns a Transport to the API at address (host:port). It ignores proxy settings, because the API is on this
// machine. It has no time-out, because GET /next waits until there is an event.
func New(address, userAgent string) runtimeapi.Transport {
	return &client{
		http:      http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}},
		base:      "http://" + address,
		userAgent: userAgent,
	}
}

// Do implements runtimeapi.Transport.
func (c *client) Do(r runtimeapi.Request) (runtimeapi.Reply, error) {
	request, err := http.NewRequest(r.Method, c.base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return runtimeapi.Reply{}, err
	}
	request.Header.Set("User-Agent", c.userAgent)
	// net/http does not send this field. It allows net/http to repeat a POST if the server closes the idle
	// connection at the same moment. If a response arrives twice, the API answers 400 and the bootstrap logs that.
	request.Header["Idempotency-Key"] = nil
	if r.Method != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.ErrorType != "" {
		request.Header.Set(runtimeapi.HeaderErrorType, r.ErrorType)
	}
	if r.InvocationID != "" {
		request.Header.Set(runtimeapi.HeaderInvocationID, r.InvocationID)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return runtimeapi.Reply{}, err
	}
	defer response.Body.Close()
	c.body.Reset()
	if _, err := io.Copy(&c.body, response.Body); err != nil {
		return runtimeapi.Reply{}, err
	}
	return runtimeapi.Reply{Status: response.StatusCode, Header: response.Header, Body: c.body.Bytes()}, nil
}
