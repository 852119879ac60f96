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

// Measure counts what cold starts of one package read. Mistakes of the package are *Error.
func (p *Prober) Measure(ctx context.Context, pkg *Package) (*Result, error) {
	emulator := ""
	r, err := p.measure(ctx, pkg, &emulator)
	if wrong, ok := errors.AsType[*Error](err); ok && emulator != "" && !registered(emulator) {
		wrong.What += notRegistered
	}
	return r, err
}

// notRegistered is why a program of another architecture may start no other.
const notRegistered = "; under qemu-user it cannot start other programs of its architecture, as a handler's own Bash is, unless the kernel knows the emulator: install qemu-user-static with binfmt-support"

// registered says whether the kernel starts an emulator by itself for programs of its architecture.
func registered(emulator string) bool {
	_, err := os.Stat("/proc/sys/fs/binfmt_misc/" + strings.TrimSuffix(filepath.Base(emulator), "-static"))
	return err == nil
}

// measure does; emulator is filled in as soon as one is needed.
func (p *Prober) measure(ctx context.Context, pkg *Package, emulator *string) (*Result, error) {
	content, err := pkg.Add(p.store, pkg.needs())
	if err != nil {
		return nil, err
	}
	pl := plan{pkg: content, atRoot: pkg.AtRoot, scratch: pkg.scratch(), below: p.below, mnt: p.mnt}
	argv := pkg.command
	if pkg.Image == nil {
		argv = []string{cmp.Or(pkg.Bootstrap, sandbox.TaskRoot+"/bootstrap")}
	}
	if len(argv) == 0 {
		return nil, problem("%s says neither ENTRYPOINT nor CMD: nothing to start", pkg.Name)
	}
	prog, err := p.inspect(pkg, pl, argv)
	if err != nil {
		return nil, err
	}
	*emulator, pl.startsGo = prog.emulator, prog.startsGo
	if pl.emulator = prog.emulator; prog.emulator != "" && !pkg.scratch() {
		pl.stub = filepath.Join(p.mnt, "stub")
		if err := os.MkdirAll(pl.stub, 0o755); err != nil {
			return nil, fmt.Errorf("preparing a probe: %w", err)
		}
		if err := os.WriteFile(filepath.Join(pl.stub, emulatorPath), nil, 0o755); err != nil {
			return nil, fmt.Errorf("preparing a probe: %w", err)
		}
	}
	r := &Result{Name: pkg.Name, Kind: pkg.Kind, Image: pkg.Image != nil, Architecture: prog.arch, Emulated: prog.emulator != "", Bytes: pkg.Bytes, UPX: prog.upx,
		ColdBy: "loop mount", Warnings: append([]string{}, p.warnings...)}
	if !p.store.Loop {
		r.ColdBy = "posix_fadvise"
	}
	if p.store.Loop && !pkg.scratch() {
		if pl.base, err = p.usedBase(ctx, pkg, pl, prog.argv, r); err != nil {
			var wrong *Error
			if errors.As(err, &wrong) || ctx.Err() != nil {
				return nil, err
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("the base is not counted: %v", err))
		}
		pl.baseKnown = err == nil
	}
	for _, group := range p.groups(r) {
		if err := p.rounds(ctx, pkg, pl, prog, r, group); err != nil {
			return nil, err
		}
	}
	if !r.Emulated { // the emulator's faults are not the package's, nor is its time
		if r.CPU, err = p.cpu(ctx, pkg, pl, prog, r.FirstFailure == ""); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("no CPU time: %v", err))
		}
	}
	return r, p.look(pkg, pl, prog, r)
}

// look lets files be read in an environment in which nothing is started.
func (p *Prober) look(pkg *Package, pl plan, prog program, r *Result) error {
	if p.options.Look == nil {
		return nil
	}
	run, err := p.begin(pkg, pl, prog.argv)
	if err != nil {
		return err
	}
	defer run.Close()
	return p.options.Look(func(name string) (*os.File, error) { return os.Open(filepath.Join(run.Root(), name)) }, r)
}

// inspect looks at the package in an environment in which nothing is started.
func (p *Prober) inspect(pkg *Package, pl plan, argv []string) (program, error) {
	r, err := p.begin(pkg, pl, argv)
	if err != nil {
		return program{}, err
	}
	defer r.Close()
	if !path.IsAbs(argv[0]) {
		argv = append([]string{lookUp(r.Root(), argv[0], pkg)}, argv[1:]...)
	}
	return inspect(r.Root(), argv, pkg.Architecture)
}

// lookUp finds an image's command as a container engine does: from the working folder where it has a slash, else in
// PATH.
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
