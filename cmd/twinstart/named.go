package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/packages"
)

// named holds the functions that a command line names: deployment packages by path, and arms of an assembly by pattern.
type named struct {
	functions   []assembly.Function
	stack       *assembly.Stack   // of the assembly; nil if packages alone are named
	notMeasured []arm.NotMeasured // arms that the assembly lacks
	failed      []arm.NotMeasured // named, but cannot be opened; the others can still be measured
	digests     map[string]string // arm -> digest of its deployment package
}

// The experiments of packages and of deployed functions that were named on the command line.
const (
	packagesExperiment  = "packages"
	functionsExperiment = "functions"
)

// resolve opens the packages and finds the arms that args name; without args, it finds every function of the assembly.
// It fails if nothing can be measured.
func resolve(ctx context.Context, from assemblyFlags, v variantFlags, args []string, std streams) (*named, error) {
	if err := v.validate(); err != nil {
		return nil, err
	}
	n := &named{digests: map[string]string{}}
	if len(v.Bootstrap) > 0 && !slices.ContainsFunc(args, isHandlerFolder) {
		return nil, errors.New("--bootstrap is for a handler's folder (with handler.sh), but no such folder is named: a " +
			"package has its bootstrap already")
	}
	names := shortNames(args)
	var functions []assembly.Function
	var patterns []string
	var failures []error
	for _, arg := range args {
		for _, bootstrap := range v.packers(arg) {
			name := names[arg]
			if len(v.Bootstrap) > 1 && bootstrap != "" {
				name += " " + bootstrap
			}
			f, err := openPackage(ctx, v, arg, bootstrap, name, std)
			if err != nil && ctx.Err() != nil {
				return nil, err
			}
			switch {
			case err != nil:
				failures = append(failures, err)
				n.failed = append(n.failed, arm.NotMeasured{Arm: name, Why: err.Error()})
			case f != nil:
				functions = append(functions, *f)
			default:
				patterns = append(patterns, arg)
			}
		}
	}
	if len(args) == 0 || len(patterns) > 0 {
		arms, err := n.arms(from, patterns)
		if err != nil {
			return nil, err // probably a typing mistake, so nothing is measured
		}
		functions = append(functions, arms...)
	}
	if len(functions) == 0 {
		return nil, cmp.Or(errors.Join(failures...), errors.New(arm.Reasons(n.failed)))
	}
	for _, f := range functions {
		n.functions = append(n.functions, v.cross(f)...)
	}
	if err := checkTwice(n.functions); err != nil {
		return nil, err
	}
	for _, f := range n.functions {
		if digest := digestOf(f); digest != "" {
			n.digests[f.Identity.Arm] = digest
		}
	}
	return n, nil
}

// shortNames names each path by its last element if no other path ends like it. Any other argument keeps its name.
func shortNames(args []string) map[string]string {
	names, paths, ends := map[string]string{}, map[string]string{}, map[string]int{}
	for _, arg := range args {
		full, err := filepath.Abs(arg)
		if _, missing := os.Stat(arg); err == nil && missing == nil {
			paths[arg] = full
		}
		names[arg] = arg
	}
	for _, full := range slices.Compact(slices.Sorted(maps.Values(paths))) {
		ends[filepath.Base(full)]++
	}
	for arg, full := range paths {
		if end := filepath.Base(full); ends[end] == 1 {
			names[arg] = end
		}
	}
	return names
}

// arms returns the functions of the assembly whose arms match a pattern, such as nethttp/*, each function once. Without
// patterns it returns all functions.
func (n *named) arms(from assemblyFlags, patterns []string) (out []assembly.Function, err error) {
	a, err := from.read()
	switch {
	case len(patterns) > 0 && errors.Is(err, errNoAssembly):
		return nil, fmt.Errorf("%w: %s: name an existing package; or, for an arm, run `npx cdk synth` first (there is no %s)",
			errNoSuch, cmp.Or(patterns[0], `""`), defaultAssembly)
	case len(patterns) > 0 && err != nil:
		return nil, fmt.Errorf("%w: %s (and no arm: %w)", errNoSuch, patterns[0], err)
	case err != nil:
		return nil, err
	}
	if n.stack, err = a.Stack(from.Stack); err != nil {
		return nil, err
	}
	var known, names []string
	for _, f := range n.stack.Functions {
		arms, _ := f.Identity.Arms()
		known = append(known, list.Map(arms, func(id arm.Identity) string { return id.Arm })...)
		own := []string{f.Name(), atMemory(f)}
		names = append(names, own...)
		chosen, hit, err := f.Identity.Only(patterns...)
		if err != nil {
			return nil, err
		}
		if len(patterns) > 0 && !slices.ContainsFunc(patterns, func(p string) bool { return slices.Contains(own, p) }) {
			if !hit {
				continue
			}
			f.Identity = chosen
		}
		out = append(out, f)
	}
	n.notMeasured = slices.DeleteFunc(slices.Clone(n.stack.NotMeasured), func(absent arm.NotMeasured) bool {
		hit, _ := arm.MatchAny(patterns, absent.Arm)
		return !hit && len(patterns) > 0
	})
	for _, p := range patterns {
		matches := func(id string) bool { hit, _ := arm.Match(p, id); return hit }
		absent := slices.DeleteFunc(slices.Clone(n.notMeasured), func(a arm.NotMeasured) bool { return !matches(a.Arm) })
		switch {
		case slices.ContainsFunc(known, matches) || slices.Contains(names, p):
		case len(absent) > 0:
			n.failed = append(n.failed, absent...)
			n.notMeasured = slices.DeleteFunc(n.notMeasured, func(a arm.NotMeasured) bool { return matches(a.Arm) })
		default:
			return nil, fmt.Errorf("%w: %s is neither a file nor an arm of %s: %s", errNoSuch, p, from.Assembly,
				nearest(p, known))
		}
	}
	return out, nil
}

// errNoSuch means that an argument names neither a file nor an arm.
var errNoSuch = errors.New("no such file")

// nearest lists the most similar known names.
func nearest(name string, known []string) string {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	slices.SortStableFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.Distance(name, a, nil), levenshtein.Distance(name, b, nil))
	})
	text := "there are " + strings.Join(known[:min(len(known), 3)], ", ")
	if more := len(known) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more (twinstart run --list shows them)", more)
	}
	return text
}

// digestOf returns the digest of a function's package, or "" if the package cannot be read. Then its start reports why.
func digestOf(f assembly.Function) string {
	p, err := deployment.Of(f)
	if err != nil {
		return ""
	}
	digest, _ := p.Digest()
	return digest
}

// openPackage opens the package that arg names. It returns nil if arg names neither a file nor an image, and so is a
// pattern of arms.
func openPackage(ctx context.Context, v variantFlags, arg, bootstrap, name string, std streams) (
	*assembly.Function, error) {
	_, err := os.Stat(arg)
	switch {
	case err == nil && isHandlerFolder(arg):
		return pack(ctx, v, arg, bootstrap, name, std)
	case err == nil:
		return fileFunction(v, arg, name)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading a package: %w", err)
	case deployment.IsReference(arg):
		dir, err := deployment.Pull(ctx, arg, architectureOr(v))
		if err != nil {
			return nil, err
		}
		return fileFunction(v, dir, name)
	}
	return nil, nil
}

func architectureOr(v variantFlags) arm.Architecture {
	return cmp.Or(v.Architecture, arm.Host())
}

// fileFunction returns the function of the package at a path.
func fileFunction(v variantFlags, file, name string) (*assembly.Function, error) {
	of := deployment.Open
	if slices.ContainsFunc(v.Runtime, assembly.Managed) {
		of = deployment.Code
	}
	p, err := of(file)
	if err != nil {
		return nil, err
	}
	if v.Architecture != "" && p.Architecture != "" && p.Architecture != v.Architecture {
		return nil, fmt.Errorf("%s is for %s, not %s: leave --architecture out", file, p.Architecture, v.Architecture)
	}
	kind := arm.ZIP
	if p.Image != nil {
		kind = arm.Image
	}
	f := p.Function(arm.Identity{Experiment: packagesExperiment, Arm: name, Bootstrap: name, Package: kind,
		Architecture: p.Architecture, MemorySizeMB: defaultMemoryMB})
	if f.Architecture == "" {
		f.Architecture = architectureOr(v)
		f.Identity.Architecture = f.Architecture
	}
	if f.PackageType == assembly.Zip {
		f.Handler = defaultHandler
	}
	return &f, nil
}

// isHandlerFolder reports whether a folder holds a handler in Bash that must be packed first.
func isHandlerFolder(dir string) bool {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	return has("handler.sh") && !has("bootstrap") && !has("Dockerfile")
}

// packers returns the bootstraps to pack an argument with. Each of them makes a function; "" means that nothing is
// packed.
func (v variantFlags) packers(arg string) []string {
	if len(v.Bootstrap) > 0 && isHandlerFolder(arg) {
		return v.Bootstrap
	}
	return []string{""}
}

// pack packs a handler's folder with a bootstrap.
func pack(ctx context.Context, v variantFlags, dir, bootstrap, name string, std streams) (*assembly.Function, error) {
	if bootstrap == "" {
		return nil, fmt.Errorf("%s is a handler's folder: choose the bootstrap to pack it with, --bootstrap %s", dir,
			strings.Join(list.Map(packages.Bootstraps(), func(b packages.Bootstrap) string { return b.Name }), ", "))
	}
	w, err := workspace(ctx, bootstrap, std)
	if err != nil {
		return nil, err
	}
	file, err := w.ZIP(ctx, bootstrap, architectureOr(v), dir)
	if err != nil {
		return nil, err
	}
	f, err := fileFunction(v, file, name)
	if err == nil {
		f.Identity.Bootstrap = bootstrap
	}
	return f, err
}

// defaultHandler is the handler in the examples of every bootstrap. A function in Go or Rust ignores it.
const defaultHandler = "handler.run"
