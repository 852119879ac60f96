package main

import (
	"io"

	"github.com/twinstart/twinstart/runtime/httpwire"
)

// Lambda sends SIGTERM only if an extension is registered. An internal extension without events is enough. See
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
const (
	extensionBase = "/2020-01-01/extension"
	headerName    = "Lambda-Extension-Name"
	headerID      = "Lambda-Extension-Identifier"
)

// extension has its own connection, because its GET is never answered.
var extension struct {
	client  httpwire.Client
	socket  socket
	memory  httpwire.Memory
	body    [8 << 10]byte
	request httpwire.Request
	header  [3]httpwire.Field
	id      [128]byte
}

// registerExtension asks for SIGTERM. Emulators may not know extensions, so a refusal is logged and is not a
// failure.
func registerExtension() {
	e := &extension
	e.client.Host, e.client.Dial = settings.api, dialExtension
	e.client.Use(&e.memory, e.body[:])
	const path = extensionBase + "/register"
	e.request = httpwire.Request{Method: "POST", Target: path, Body: bytesOf(`{"events":[]}`),
		Header: append(e.header[:0], agent, jsonType, httpwire.Field{Name: headerName, Value: "twinstart"})}
	response, err := e.client.Do(&e.request)
	if err != nil {
		logged("POST ", path, ": ").add(reason(err)).add("; going on without SIGTERM").written()
		return
	}
	id := asString(response.Header.Value(headerID))
	if response.Status != 200 || id == "" || len(id) > len(e.id) {
		answered("POST ", path, response).add("; going on without SIGTERM").written()
		return
	}
	t := in(e.id[:])
	e.request = httpwire.Request{Method: "GET", Target: extensionBase + "/event/next", Header: append(e.header[:0], agent,
		httpwire.Field{Name: headerID, Value: t.add(id).string()})}
	_ = e.client.Send(&e.request) // says that the extension is ready
}

func dialExtension() (io.ReadWriteCloser, error) {
	return &extension.socket, extension.socket.connect()
}
