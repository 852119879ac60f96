// Command bootstraps makes every bootstrap for every architecture below build/bootstraps; see package build.
//
//	bootstraps [-o DIR] [-architecture arm64|x86_64] [BOOTSTRAP...]
//
// What cannot be built on this machine takes one line on standard error that says which and why; it is not an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bootstraps:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bootstraps", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("o", "build", "output `folder`")
	only := flags.String("architecture", "", "arm64 or x86_64 (default both)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	architectures := []arm.Architecture{arm.ARM64, arm.X8664}
	if *only != "" {
		a, err := arm.ParseArchitecture(*only)
		if err != nil {
			return err
		}
		architectures = []arm.Architecture{a}
	}
	names := flags.Args()
	if len(names) == 0 {
		for _, b := range packages.Bootstraps() {
			names = append(names, b.Name)
		}
	}
	workspace := &packages.Workspace{Dir: *dir, Log: stderr}
	for _, name := range names {
		for _, a := range architectures {
			out, err := workspace.Bootstrap(ctx, name, a)
			var unavailable *packages.UnavailableError
			switch {
			case errors.As(err, &unavailable):
				fmt.Fprintln(stderr, "bootstraps: left out:", err)
			case err != nil:
				return err
			default:
				fmt.Fprintln(stdout, out)
			}
		}
	}
	return nil
}
