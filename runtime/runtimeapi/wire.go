package runtimeapi

import "github.com/twinstart/twinstart/runtime/httpwire"

// Wire is a Transport over package httpwire.
type Wire struct {
	client  httpwire.Client
	request httpwire.Request
	agent   httpwire.Field
	fields  [4]httpwire.Field
}

// NewWire returns a Transport to the API at address (host:port). It opens connections with dial.
func NewWire(address, userAgent string, dial httpwire.Dial) *Wire {
	return &Wire{client: httpwire.Client{Host: address, Dial: dial}, agent: httpwire.Field{Name: "User-Agent", Value: userAgent}}
}

// Do implements Transport.
func (w *Wire) Do(r Request) (Reply, error) {
	header := append(w.fields[:0], w.agent)
	if r.Method != "GET" {
		header = append(header, httpwire.Field{Name: "Content-Type", Value: "application/json"})
	}
	if r.ErrorType != "" {
		header = append(header, httpwire.Field{Name: HeaderErrorType, Value: r.ErrorType})
	}
	if r.InvocationID != "" {
		header = append(header, httpwire.Field{Name: HeaderInvocationID, Value: r.InvocationID})
	}
	w.request = httpwire.Request{Method: r.Method, Target: r.Path, Header: header, Body: r.Body}
	response, err := w.client.Do(&w.request)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Status: response.Status, Header: &response.Header, Body: response.Body}, nil
}
