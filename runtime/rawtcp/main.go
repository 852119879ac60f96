//go:build linux

// Rawtcp is a bootstrap on net.Dial and the project's own HTTP/1.1, with one process per event. It is nethttp
// without net/http, and a third of its size.
package main

import (
	"io"
	"net"
	"os"

	"github.com/twinstart/twinstart/runtime/perevent"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

func main() { os.Exit(perevent.Main("rawtcp", os.Args, transport)) }

func transport(address, userAgent string) runtimeapi.Transport {
	return runtimeapi.NewWire(address, userAgent, func() (io.ReadWriteCloser, error) { return net.Dial("tcp", address) })
}
