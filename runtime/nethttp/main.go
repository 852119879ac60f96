//go:build linux

// Nethttp is a bootstrap on net/http with one process per event: the design whose cold starts were published.
package main

import (
	"os"

	"github.com/twinstart/twinstart/runtime/httpclient"
	"github.com/twinstart/twinstart/runtime/perevent"
)

func main() { os.Exit(perevent.Main("nethttp", os.Args, httpclient.New)) }
