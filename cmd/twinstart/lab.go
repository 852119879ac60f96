package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
)

// labCommand serves the lab until it is interrupted.
type labCommand struct {
	functionFlags
	Packages    []string `arg:"" optional:"" name:"path|arm"`
	Concurrency int      `default:"100" placeholder:"N"`
	Credentials bool
	Freeze      bool
	Idle        time.Duration `default:"10m" placeholder:"TIME"`
	Listen      string        `default:"127.0.0.1:9001" placeholder:"HOST:PORT"`
}

// Run serves until the context ends.
func (c *labCommand) Run(ctx context.Context, std streams) error {
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("reading --listen: %w: want HOST:PORT, such as 127.0.0.1:9001", err)
	case !net.ParseIP(host).IsLoopback():
		return fmt.Errorf("--listen %s is not loopback, and any caller can run any function: use 127.0.0.1:PORT", c.Listen)
	case c.Concurrency < 1 || c.Idle < 0:
		return fmt.Errorf("--concurrency %d: want 1 or more; --idle %s: want 0s or more", c.Concurrency, c.Idle)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: choose another port with --listen, or 127.0.0.1:0 for any", c.Listen)
	}
	if err != nil {
		return fmt.Errorf("listening on --listen %s: %w: use 127.0.0.1 and a port up to 65535", c.Listen, err)
	}
	defer listener.Close()
	found, err := resolve(ctx, c.assemblyFlags, c.variantFlags, c.Packages, std)
	if err != nil {
		return err
	}
	for _, n := range append(found.failed, found.notMeasured...) {
		fmt.Fprintf(std.err, "warning: %s is not served: %s\n", n.Arm, n.Why)
	}
	if len(c.Packages) > 0 {
		numbered(found.functions)
	}
	options := c.labOptions(found)
	options.Log, options.Measured = std.err, false
	options.Concurrency, options.Idle, options.Freeze = c.Concurrency, c.Idle, c.Freeze
	if c.Credentials {
		if options.Credentials, err = account.Variables(ctx); err != nil {
			return err
		}
	}
	l, err := lab.New(options)
	if err != nil {
		return err
	}
	std.warn(l.Warnings()...)
	functions := table.Table{Heads: table.Heads(2, "", "")}
	for _, f := range l.Functions() {
		functions.Add(f.Identity.Arm, f.Name())
	}
	fmt.Fprint(std.out, functions.Text(0))
	fmt.Fprintf(std.out, "Lambda's API: http://%s\n", listener.Addr())
	server := api.NewServer(l)
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("serving Lambda's API: %w", err), l.Close())
	}
	return l.Close()
}
