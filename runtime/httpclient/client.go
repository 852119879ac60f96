// Package httpclient carries the Runtime API over net/http, for the bootstraps that link it.
package httpclient

import (
	"bytes"
	"io"
	"net/http"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// client is a runtimeapi.Transport on one kept-alive connection.
type client struct {
	http      http.Client
	base      string
	userAgent string
	body      bytes.Buffer // of the last response
}

// New makes a Transport to the API at address (host:port). It takes no proxy from the environment, since the API is on
// this machine, and has no time-out, since GET /next takes as long as there is no event.
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
	// Not sent, but lets net/http send a POST again where the server closed the idle connection at the same moment.
	// A response that did arrive twice is answered 400 and logged.
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
