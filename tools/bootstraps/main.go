// Command bootstraps builds every bootstrap for every architecture into build/bootstraps; see package packages.
//
//	bootstraps [-o DIR] [-architecture arm64|x86_64] [BOOTSTRAP...]
//
// If something cannot be built on this machine, a line on standard error says what and why. That is not an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
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
		names = list.Map(packages.Bootstraps(), func(b packages.Bootstrap) string { return b.Name })
	}
	workspace := &packages.Workspace{Dir: *dir, Log: stderr, Licences: true}
	for _, name := range names {
		for _, a := range architectures {
			out := filepath.Join(*dir, "bootstraps", name, string(a))
			made, err := workspace.Bootstrap(ctx, name, a)
			if err == nil {
				err = errors.Join(os.RemoveAll(out), os.CopyFS(out, os.DirFS(made)), archive.Settle(out))
			}
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
