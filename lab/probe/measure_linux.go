package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/usage"
)

// Measure counts what cold starts of one package read. Mistakes of the package are *Error.
func (p *Prober) Measure(ctx context.Context, pkg *Package) (*Result, error) {
	emulator := ""
	r, err := p.measure(ctx, pkg, &emulator)
	var wrong *Error
	if errors.As(err, &wrong) && emulator != "" && !registered(emulator) {
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
	content, err := pkg.add(p.store)
	if err != nil {
		return nil, err
	}
	pl := plan{pkg: content, atRoot: pkg.atRoot, scratch: pkg.scratch, root: p.root, hostMounts: p.hostMounts, mnt: p.mnt}
	argv := pkg.command
	if !pkg.atRoot {
		argv = []string{"/var/task/bootstrap"}
	}
	if len(argv) == 0 {
		return nil, problem("%s says neither ENTRYPOINT nor CMD: nothing to start", pkg.Name)
	}
	prog, err := p.inspect(pkg, pl, argv)
	if err != nil {
		return nil, err
	}
	*emulator = prog.emulator
	if pl.emulator = prog.emulator; prog.emulator != "" && !pkg.scratch {
		pl.stub = filepath.Join(p.mnt, "stub")
		if err := os.MkdirAll(pl.stub, 0o755); err != nil {
			return nil, fmt.Errorf("preparing a probe: %w", err)
		}
		if err := os.WriteFile(filepath.Join(pl.stub, emulatorPath), nil, 0o755); err != nil {
			return nil, fmt.Errorf("preparing a probe: %w", err)
		}
	}
	r := &Result{Name: pkg.Name, Kind: pkg.Kind, Image: pkg.atRoot, Architecture: prog.arch, Emulated: prog.emulator != "", Bytes: pkg.Bytes, UPX: prog.upx,
		ColdBy: "loop mount", Warnings: append([]string{}, p.warnings...)}
	if !p.store.Loop {
		r.ColdBy = "posix_fadvise"
	}
	if other := otherReadAround(kernelRelease(), prog.arch, r.Emulated); other != "" {
		r.Warnings = append(r.Warnings, other)
	}
	if p.store.Loop && !pkg.scratch {
		if pl.base, err = p.usedBase(ctx, pkg, pl, prog.argv, r); err != nil {
			var wrong *Error
			if errors.As(err, &wrong) || ctx.Err() != nil {
				return nil, err
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("the base is not counted: %v", err))
		}
		pl.baseKnown = err == nil
	}
	readAheads := p.options.ReadAheads
	if !p.store.Loop {
		readAheads = []int{p.diskReadAheadKiB}
	}
	for i, readAhead := range readAheads {
		pl.readAheadKiB = readAhead
		if err := p.rounds(ctx, pkg, pl, prog, r, i == 0); err != nil {
			return nil, err
		}
	}
	if p.options.Faults && p.store.Loop {
		if r.Faults, err = p.faults(ctx, pkg, pl, prog); err != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the order of page faults is not known: %v", err))
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
	defer run.close()
	return p.options.Look(func(name string) (*os.File, error) { return os.Open(filepath.Join(run.env.Root(), name)) }, r)
}

// inspect looks at the package in an environment in which nothing is started.
func (p *Prober) inspect(pkg *Package, pl plan, argv []string) (program, error) {
	r, err := p.begin(pkg, pl, argv)
	if err != nil {
		return program{}, err
	}
	defer r.close()
	if !path.IsAbs(argv[0]) {
		argv = append([]string{lookUp(r.env.Root(), argv[0], pkg)}, argv[1:]...)
	}
	return inspect(r.env.Root(), argv, pkg.Architecture)
}

// lookUp finds an image's command as a container engine does: from the working folder where it has a slash, else in PATH.
func lookUp(root, name string, pkg *Package) string {
	if strings.Contains(name, "/") {
		return path.Join("/", pkg.workDir, name)
	}
	search := "/usr/local/bin:/usr/bin:/bin:/opt/bin"
	for _, kv := range pkg.env {
		if kv.Key == "PATH" {
			search = kv.Value
		}
	}
	for dir := range strings.SplitSeq(search, ":") {
		if _, err := executable(root, path.Join(dir, name)); err == nil {
			return path.Join(dir, name)
		}
	}
	return "/" + name
}

// Where counts differ there are more cold starts, until their mean is sure: in which order threads touch neighbouring pages, and with it
// where windows of read-ahead begin, is the scheduler's choice. Means repeat best over all kinds of package: a median jumps by
// a window (2 %) where two counts are about as frequent.
const (
	moreRounds = 21
	sure       = 0.004 // standard error, as a part of the mean: ten runs then lie within 2 %
)

// rounds runs the cold starts of one read-ahead, and, where CPU is asked for, the warm ones that it is taken from.
func (p *Prober) rounds(ctx context.Context, pkg *Package, pl plan, prog program, r *Result, cpu bool) error {
	var next, first []Count
	for round := 0; round < p.options.Rounds || round < moreRounds && p.options.Rounds > 1 && standardError(next) > sure; round++ {
		last := round == p.options.Rounds-1
		n, f, err := p.cold(ctx, pkg, pl, prog, r, last, cpu && last)
		if err != nil {
			return err
		}
		next = append(next, n)
		if f != nil {
			first = append(first, *f)
		}
	}
	least, most := span(next)
	reads := Reads{ReadAheadKiB: pl.readAheadKiB, Next: mean(next), SpreadKiB: most - least}
	if len(first) == len(next) {
		c := mean(first)
		reads.First = &c
	}
	r.Reads = append(r.Reads, reads)
	return nil
}

// cold is one cold start with one invocation. note keeps which pages it read; one for CPU goes on to warm starts.
func (p *Prober) cold(ctx context.Context, pkg *Package, pl plan, prog program, r *Result, note, cpuToo bool) (next Count, first *Count, err error) {
	run, err := p.begin(pkg, pl, prog.argv)
	if err != nil {
		return next, nil, err
	}
	defer run.close()
	var counted *usage.Counter
	var before usage.Usage
	if cpuToo {
		counted = usage.Watch(run.env.PID())
		defer counted.Close()
		if before, err = counted.Read(); err != nil {
			return next, nil, err
		}
	}
	if err := run.init(ctx, pkg.Name); err != nil {
		return next, nil, err
	}
	var after usage.Usage
	if counted != nil {
		if after, err = counted.Read(); err != nil {
			return next, nil, err
		}
	}
	run.quiet()
	if next, err = p.count(pkg, pl, run, r, note); err != nil {
		return next, nil, err
	}
	failure := r.FirstFailure // once is enough: it may have been a time-out
	if failure == "" {
		if failure, err = run.invoke(ctx, p.options.Event); err != nil {
			return next, nil, err
		}
	}
	if failure == "" {
		run.quiet()
		c, err := p.count(pkg, pl, run, r, false)
		if err != nil {
			return next, nil, err
		}
		first = &c
	} else {
		r.FirstFailure = failure
	}
	r.Calls = run.calls.list()
	if counted == nil || r.Emulated { // the emulator's faults are not the package's, nor is its time
		return next, first, nil
	}
	if err := counted.NoCPU(); err != nil {
		r.Warnings = append(r.Warnings, fmt.Sprintf("no CPU time: %v", err))
		return next, first, nil
	}
	used := after.Minus(before)
	cpu := &CPU{MinorFaults: used.MinorFaults, MajorFaults: used.MajorFaults}
	if err := p.warm(ctx, pkg, run, counted, cpu, failure == ""); err != nil {
		r.Warnings = append(r.Warnings, fmt.Sprintf("no CPU time: %v", err))
		return next, first, nil
	}
	r.CPU = cpu
	return next, first, nil
}

// warm starts the bootstrap again on the same mounts, whose pages are in memory now, and keeps the least CPU: noise only adds.
func (p *Prober) warm(ctx context.Context, pkg *Package, run *running, counted *usage.Counter, cpu *CPU, invoke bool) error {
	for i := range 5 {
		if err := run.again(); err != nil {
			return err
		}
		before, err := counted.Read()
		if err != nil {
			return err
		}
		if err := run.init(ctx, pkg.Name); err != nil {
			return err
		}
		next, err := counted.Read()
		if err != nil {
			return err
		}
		if init := milliseconds(next.CPU - before.CPU); i == 0 || init < cpu.InitMs {
			cpu.InitMs = init
		}
		if !invoke {
			continue
		}
		failure, err := run.invoke(ctx, p.options.Event)
		if err != nil {
			return err
		}
		done, err := counted.Read()
		if err != nil {
			return err
		}
		invoked := milliseconds(done.CPU - next.CPU)
		if failure == "" && (cpu.FirstMs == nil || invoked < *cpu.FirstMs) {
			cpu.FirstMs = &invoked
		}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// count counts the pages in memory, of the package's files and of the base's.
func (p *Prober) count(pkg *Package, pl plan, run *running, r *Result, note bool) (c Count, err error) {
	root := run.env.Root()
	c.BaseCounted = pl.baseKnown || pkg.scratch
	add := func(of *coldfs.Package, at string, own func(string) bool) error {
		for _, file := range of.Files {
			name := path.Join(at, file.Path)
			if file.Size == 0 {
				continue
			}
			in, err := coldfs.Pages(filepath.Join(root, name))
			if errors.Is(err, os.ErrPermission) {
				continue
			}
			if err != nil {
				return fmt.Errorf("counting the pages of %s: %w", name, err)
			}
			c.add(name, in, own(name))
			if note {
				r.note(name, own(name), file.Size, in, pl.readAheadKiB)
			}
		}
		return nil
	}
	at := "/var/task"
	if pkg.atRoot {
		at = "/"
	}
	if err := add(pl.pkg, at, pkg.isPackage); err != nil {
		return c, err
	}
	if pl.base != nil {
		err = add(pl.base, "/", func(string) bool { return false })
	}
	return c, err
}

const chunk = 512 << 10

// add counts one file.
func (c *Count) add(name string, in []byte, own bool) {
	pageSize := os.Getpagesize()
	pages, chunks, last := 0, 0, -1
	for i, b := range in {
		if b&1 == 0 {
			continue
		}
		pages++
		if n := i * pageSize / chunk; n != last {
			chunks, last = chunks+1, n
		}
	}
	kib := pages * pageSize >> 10
	if own {
		c.PackageKiB, c.PackageChunks = c.PackageKiB+kib, c.PackageChunks+chunks
		return
	}
	c.BaseKiB, c.BaseChunks = c.BaseKiB+kib, c.BaseChunks+chunks
	if base := path.Base(name); strings.HasPrefix(base, "ld-") || strings.HasPrefix(base, "libc.so") || strings.HasPrefix(base, "libc-") || strings.HasPrefix(base, "ld.so") {
		c.LibcKiB += kib
	}
}

// note keeps which pages of a file were in memory.
func (r *Result) note(name string, own bool, size int64, in []byte, readAheadKiB int) {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Path == name })
	if i < 0 {
		r.Files = append(r.Files, File{Path: name, Package: own, Size: size})
		i = len(r.Files) - 1
	}
	if readAheadKiB == 0 {
		r.Files[i].Touched = in
	} else {
		r.Files[i].ReadAhead = in
	}
}
