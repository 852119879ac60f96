package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/probe"
)

// probeFlags are what measuring single packages can vary.
type probeFlags struct {
	assemblyFlags
	BaseRoot     string            `placeholder:"DIR" help:"Unpacked root file system of provided:al2023, in place of this machine's /usr."`
	State        string            `placeholder:"DIR" help:"Folder for what is prepared; a temporary one by default."`
	Event        string            `placeholder:"FILE" help:"Event of the first invocation: a file, or - for standard input; {} by default."`
	Env          map[string]string `placeholder:"NAME=VALUE" help:"Environment variables of the function."`
	Architecture string            `placeholder:"ARCH" help:"Architecture that a package is for, where it has no executable to say so, or must be: arm64 or x86_64."`
	Memory       int               `default:"1024" placeholder:"MB" help:"Memory size, of packages that are not an arm."`
	Handler      string            `default:"handler.run" help:"Handler (_HANDLER), of packages that are not an arm."`
}

// patience is for whoever waits for an answer; a run has more.
const patience = 3 * time.Second

// open makes a prober; nothing has been measured yet.
func (f probeFlags) open(options probe.Options) (*probe.Prober, error) {
	options.BaseRoot, options.StateDir, options.Patience = f.BaseRoot, f.State, patience
	if f.Memory < 128 || f.Memory > 10240 {
		return nil, fmt.Errorf("--memory %d: Lambda has 128 to 10240 MB", f.Memory)
	}
	if f.Event != "" {
		event, err := readEvent(f.Event)
		if err != nil {
			return nil, err
		}
		options.Event = event
	}
	return probe.New(options)
}

// packages resolves arguments: what lies at a path, or else the arms of the assembly that match.
func (f probeFlags) packages(args []string) (out []*probe.Package, err error) {
	var declared arm.Architecture
	if f.Architecture != "" {
		if declared, err = arm.ParseArchitecture(f.Architecture); err != nil {
			return nil, fmt.Errorf("reading --architecture: %w", err)
		}
	}
	for _, arg := range args {
		_, err := os.Stat(arg)
		switch {
		case err == nil:
			p, err := probe.Open(arg)
			if err != nil {
				return nil, err
			}
			if declared != "" && p.Architecture != "" && p.Architecture != declared {
				return nil, fmt.Errorf("%s is for %s, not %s", arg, p.Architecture, declared)
			}
			if declared != "" {
				p.Architecture = declared
			}
			p.MemorySizeMB, p.Handler, p.Environment = f.Memory, f.Handler, f.Env
			out = append(out, p)
		case errors.Is(err, fs.ErrNotExist):
			arms, err := f.arms(arg)
			if err != nil {
				return nil, err
			}
			out = append(out, arms...)
		default:
			return nil, fmt.Errorf("reading a package: %w", err)
		}
	}
	return out, nil
}

// arms are the functions of the assembly whose arm matches a pattern such as nethttp/* .
func (f probeFlags) arms(pattern string) (out []*probe.Package, err error) {
	if _, err := path.Match(pattern, ""); err != nil || strings.Count(pattern, "/") != 1 || strings.HasPrefix(pattern, ".") {
		return nil, fmt.Errorf("no such file: %s (arms are called bootstrap/package, such as nethttp/zip)", pattern)
	}
	a, err := assembly.Read(f.Assembly)
	if err != nil {
		return nil, fmt.Errorf("%s is no file, and to look for an arm of that name: %w", pattern, err)
	}
	stack, err := a.Stack(f.Stack)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, function := range stack.Functions {
		known = append(known, function.Identity.Arm)
		if ok, _ := path.Match(pattern, function.Identity.Arm); !ok {
			continue
		}
		p, err := probe.Of(function)
		if err != nil {
			return nil, err
		}
		if len(f.Env) > 0 {
			p.Environment = maps.Clone(p.Environment)
			if p.Environment == nil {
				p.Environment = map[string]string{}
			}
			maps.Copy(p.Environment, f.Env)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		slices.Sort(known)
		return nil, fmt.Errorf("%s is neither a file nor an arm of %s, which has %s", pattern, f.Assembly, strings.Join(slices.Compact(known), ", "))
	}
	return out, nil
}

// measureEach measures packages one after another; one that cannot be measured is told, and the others go on.
func measureEach(ctx context.Context, p *probe.Prober, packages []*probe.Package, io streams, each func(*probe.Package, *probe.Result) error) error {
	var failures []error
	for _, pkg := range packages {
		result, err := p.Measure(ctx, pkg)
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
	if len(packages) > 1 && len(failures) > 0 {
		return fmt.Errorf("%d of %d packages could not be measured, as said above", len(failures), len(packages))
	}
	return errors.Join(failures...)
}
