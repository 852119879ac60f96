//go:build linux

// Benchruntime measures the bootstraps side by side in one run: times, memory, bytes, cold pages, instructions, and
// their goals as ratios. `make bench-runtime` runs it.
//
//	benchruntime [-format text|json] [-rounds N] [-calls N] [-budget 80s] [-seed N] [-only NAME,NAME] [-instructions=false]
//
// YARDSTICK names a candidates.json with rows of others. A goal that is not met is a finding, not an error: the
// exit status only says whether everything could be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/packages"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var usage *usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "benchruntime:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchruntime:", err)
		os.Exit(1)
	}
}

// usageError is a mistake of the user.
type usageError struct{ what string }

func (e *usageError) Error() string { return e.what }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("benchruntime", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("format", "text", "text or json")
	only := flags.String("only", "", "`names` of bootstraps, with commas between; all by default")
	instructions := flags.Bool("instructions", true, "count user-space instructions where valgrind is installed")
	p := plan{}
	flags.IntVar(&p.rounds, "rounds", 30, "cold starts of each bootstrap")
	flags.IntVar(&p.calls, "calls", 40, "warm calls after each cold start")
	flags.DurationVar(&p.budget, "budget", 80*time.Second, "of the timed rounds together")
	flags.Uint64Var(&p.seed, "seed", 0, "of the order; 0 takes the clock's")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return &usageError{err.Error()}
	}
	switch {
	case flags.NArg() > 0:
		return &usageError{fmt.Sprintf("unexpected argument %q (-help lists the flags)", flags.Arg(0))}
	case *format != "text" && *format != "json":
		return &usageError{fmt.Sprintf("-format %s is neither text nor json", *format)}
	case p.rounds < 2 || p.calls < 1:
		return &usageError{"-rounds wants at least 2 and -calls at least 1"}
	}
	p.valgrind = *instructions
	p.callRounds, p.smallCalls = (p.rounds+2)/3, 8
	if p.seed == 0 {
		p.seed = uint64(time.Now().UnixNano())
	}
	a, err := arm.ParseArchitecture(string(arm.Host()))
	if err != nil {
		return fmt.Errorf("no function of Lambda has this machine's architecture %s: %w", runtime.GOARCH, err)
	}
	dir, err := os.MkdirTemp("", "twinstart-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	wanted := func(name string) bool { return *only == "" || slices.Contains(strings.Split(*only, ","), name) }
	candidates, warnings, err := ours(ctx, &packages.Workspace{Dir: "build", Log: stderr}, a, dir, wanted)
	if err != nil {
		return err
	}
	if file := os.Getenv("YARDSTICK"); file != "" {
		more, err := others(file)
		if err != nil {
			return &usageError{err.Error()}
		}
		candidates = append(candidates, more...)
	}
	candidates = slices.DeleteFunc(candidates, func(c *candidate) bool { return !wanted(c.name) })
	if len(candidates) == 0 {
		return &usageError{fmt.Sprintf("-only %s names no bootstrap", *only)}
	}
	rows, more, err := measure(ctx, candidates, p, a, stderr)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		warnings = append(warnings, "not root: packages are made cold by posix_fadvise, with the disk's read-ahead and no other")
	}
	r := report(rows, p, slices.Concat(warnings, more))
	if *format == "json" {
		return table.JSON(stdout, r)
	}
	return r.text(stdout)
}
