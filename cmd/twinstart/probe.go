package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// probeFlags are what measuring single packages can vary.
type probeFlags struct {
	assemblyFlags
	variantFlags
	BaseRoot string `group:"lab" placeholder:"DIR" help:"Unpacked root file system of provided:al2023, in place of this machine's /usr."`
	State    string `group:"lab" placeholder:"DIR" help:"Folder for what is prepared; a temporary one by default."`
	Event    string `group:"what" placeholder:"FILE" help:"Event of the first invocation: a file, or - for standard input; {} by default."`
}

// patience is for whoever waits for an answer; a run has more.
const patience = 10 * time.Second

// open makes a prober; nothing has been measured yet.
func (f probeFlags) open(options probe.Options) (*probe.Prober, error) {
	options.BaseRoot, options.StateDir, options.Patience = f.BaseRoot, f.State, patience
	if f.Event != "" {
		event, err := readEvent(f.Event)
		if err != nil {
			return nil, err
		}
		options.Event = event
	}
	return probe.New(options)
}

// explaining keeps the explanations of the files of the package that is measured.
func explaining(files *[]*explain.Explanation) func(func(string) (*os.File, error), *probe.Result) error {
	return func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		*files, err = explain.Package(r, open)
		return err
	}
}

// packages opens what arguments name. What cannot be opened is told, and the others go on.
func (f probeFlags) packages(ctx context.Context, args []string, io streams) (out []*probe.Package, missing int, err error) {
	found, err := resolve(ctx, f.assemblyFlags, f.variantFlags, args, io)
	if err != nil {
		return nil, 0, err
	}
	for _, n := range found.failed {
		fmt.Fprintf(io.err, "%s: %s\n", n.Arm, n.Why)
	}
	for _, function := range found.functions {
		p, err := probe.Of(function)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, p)
	}
	return out, len(found.failed), nil
}

// measureEach measures packages one after another; one that cannot be measured is told, and the others go on.
func measureEach(ctx context.Context, p *probe.Prober, packages []*probe.Package, io streams, each func(*probe.Package, *probe.Result) error) error {
	var failures []error
	for _, pkg := range packages {
		result, err := p.Measure(ctx, pkg)
		if err != nil && strings.Contains(err.Error(), "Runtime.NoSuchHandler") && strings.Contains(err.Error(), "handler.sh does not exist") {
			err = fmt.Errorf("%s has a bootstrap and no handler, as a layer does: give what twinstart package makes of a handler's folder, without --layer", pkg.Name)
		}
		if err == nil {
			err = each(pkg, result)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failures = append(failures, err)
			if len(packages) > 1 {
				fmt.Fprintf(io.err, "%s: %v\n", pkg.Name, err)
			}
		}
	}
	if len(failures) > 0 && len(failures) < len(packages) {
		return fmt.Errorf("%w: %d of %d packages could not be measured, as said above", errIncomplete, len(failures), len(packages))
	}
	return oneOf(failures)
}
