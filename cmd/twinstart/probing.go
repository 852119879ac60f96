package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// probeFlags are the options of measuring single packages.
type probeFlags struct {
	assemblyFlags
	variantFlags
	BaseRoot string `group:"lab" placeholder:"DIR"`
	State    string `group:"lab" placeholder:"DIR"`
	Event    string `group:"what" placeholder:"FILE"`
}

// patience limits the time for more than 5 cold starts of a package, because a user waits for the answer.
const patience = 10 * time.Second

// noHandler matches what the lab reports if a bootstrap does not find a handler in Bash.
var noHandler = regexp.MustCompile(`handler\.sh does not exist.*Runtime\.NoSuchHandler`)

// measure measures the packages that args name, one after another, if fit accepts all of them. It prints which of them
// cannot be opened or measured, and continues with the others.
func (f probeFlags) measure(ctx context.Context, args []string, fit func([]*probe.Package) error, std streams,
	each func(*probe.Package, *probe.Result, []*explain.Explanation) error) error {
	found, err := resolve(ctx, f.assemblyFlags, f.variantFlags, args, std)
	if err != nil {
		return err
	}
	var packages []*probe.Package
	for _, function := range found.functions {
		p, err := probe.Of(function)
		if err != nil {
			return err
		}
		packages = append(packages, p)
	}
	if err := fit(packages); err != nil {
		return err
	}
	var files []*explain.Explanation
	options := probe.Options{BaseRoot: f.BaseRoot, StateDir: f.State, Patience: patience}
	options.Look = func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		files, err = explain.Package(r, open)
		return err
	}
	if options.Event, err = readEvent(f.Event); err != nil {
		return err
	}
	prober, err := probe.New(options)
	if err != nil {
		return err
	}
	defer prober.Close()
	failed := found.failed
	var failures []error
	for _, pkg := range packages {
		r, err := prober.Measure(ctx, pkg)
		if err == nil {
			err = each(pkg, r, files)
		} else if noHandler.MatchString(err.Error()) {
			err = fmt.Errorf("%s has a bootstrap but no handler, like a layer: give a package that twinstart package makes "+
				"of a handler's folder, without --layer", pkg.Name)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed, failures = append(failed, arm.NotMeasured{Arm: pkg.Name, Why: err.Error()}), append(failures, err)
		}
	}
	if len(failed) == 0 || len(packages)+len(found.failed) == 1 {
		return errors.Join(failures...)
	}
	for _, n := range failed {
		fmt.Fprintf(std.err, "%s: %s\n", n.Arm, list.OneLine(strings.TrimPrefix(n.Why, n.Arm+" ")))
	}
	if len(failures) == len(packages) {
		return errors.Join(failures...)
	}
	return fmt.Errorf("%w: %d of %d packages could not be measured: see above", errIncomplete, len(failed),
		len(packages)+len(found.failed))
}
