package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox"
)

// Measure counts what cold starts of one package read. An error of the package is an *Error.
func (p *Prober) Measure(ctx context.Context, pkg *Package) (r *Result, err error) {
	pl := plan{Package: pkg, below: p.below, mnt: p.mnt}
	if pl.content, err = pl.Add(p.store, pl.needs()); err != nil {
		return nil, err
	}
	pl.program.argv = []string{cmp.Or(pl.Bootstrap, sandbox.TaskRoot+"/bootstrap")}
	if pl.Image != nil {
		pl.program.argv = pl.Image.Command(pl.image.EntryPoint, pl.image.Command)
	}
	if len(pl.program.argv) == 0 {
		return nil, problem("%s has neither ENTRYPOINT nor CMD: say what to start", pl.Name)
	}
	if pl.program, err = p.inspect(pl); err != nil {
		return nil, err
	}
	emulated := pl.program.emulator != ""
	if emulated && !pl.scratch() {
		pl.stub = filepath.Join(p.mnt, "stub")
		if err = os.MkdirAll(pl.stub, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(pl.stub, emulatorPath), nil, 0o755)
		}
		if err != nil {
			return nil, fmt.Errorf("preparing a probe: %w", err)
		}
	}
	r = &Result{Name: pl.Name, Kind: pl.Kind, Image: pl.Image != nil, Architecture: pl.program.arch, Emulated: emulated,
		Bytes: pl.Bytes, UPX: pl.program.upx, ColdBy: "loop mount", Warnings: append([]string{}, p.warnings...)}
	if !p.store.Loop {
		r.ColdBy = "posix_fadvise"
	}
	if p.store.Loop && !pl.scratch() {
		if pl.base, err = p.usedBase(ctx, pl, r); err != nil {
			if _, wrong := errors.AsType[*Error](err); wrong || ctx.Err() != nil {
				return nil, err
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("the base is not counted: %v", err))
		}
		pl.baseKnown = err == nil
	}
	for _, group := range p.groups(r) {
		if err := p.rounds(ctx, pl, r, group); err != nil {
			return nil, err
		}
	}
	if !r.Emulated { // the faults and the CPU time of an emulator are not the package's
		if r.CPU, err = p.cpu(ctx, pl, r.FirstFailure == ""); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("no CPU time: %v", err))
		}
	}
	return r, p.look(pl, r)
}

// look calls Options.Look for an environment in which nothing is started.
func (p *Prober) look(pl plan, r *Result) error {
	if p.options.Look == nil {
		return nil
	}
	run, err := p.begin(pl)
	if err != nil {
		return err
	}
	defer run.Close()
	return p.options.Look(func(name string) (*os.File, error) { return os.Open(filepath.Join(run.Root(), name)) }, r)
}

// inspect finds out what the plan starts, in an environment in which nothing is started.
func (p *Prober) inspect(pl plan) (program, error) {
	r, err := p.begin(pl)
	if err != nil {
		return program{}, err
	}
	defer r.Close()
	argv := pl.program.argv
	if !path.IsAbs(argv[0]) {
		argv = append([]string{lookUp(r.Root(), argv[0], pl.Package)}, argv[1:]...)
	}
	return inspect(r.Root(), argv, pl.Architecture)
}

// lookUp finds an image's command as a container engine does: in the working folder if it has a slash, else in PATH.
func lookUp(root, name string, pkg *Package) string {
	if strings.Contains(name, "/") {
		return path.Join(pkg.dir(), name)
	}
	search := "/usr/local/bin:/usr/bin:/bin:/opt/bin"
	for _, kv := range pkg.variables() {
		if value, is := strings.CutPrefix(kv, "PATH="); is {
			search = value
		}
	}
	for dir := range strings.SplitSeq(search, ":") {
		if _, err := executable(root, path.Join(dir, name)); err == nil {
			return path.Join(dir, name)
		}
	}
	return "/" + name
}
