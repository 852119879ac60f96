package probe_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/tools/need"
)

// near reports whether two counts are the same within 0.5 % of the KiB read, 1 % of the KiB touched, or two pages. With
// few pages, a stack that grows at another point makes a larger difference.
func near(a, b, readAheadKiB int) bool {
	part := 0.005
	if readAheadKiB == 0 {
		part = 0.01
	}
	return math.Abs(float64(a-b)) <= math.Max(8, part*math.Max(float64(a), float64(b)))
}

// One executable reads the same, however it is packaged.
func TestFormsOfOnePackage(t *testing.T) {
	t.Parallel()
	p := newProber(t, probe.Options{})
	file := hello(t)
	content := folder(t, map[string][]byte{"bootstrap": read(t, file)})
	saved, layout := images(t, content)
	var want *probe.Result
	for _, form := range []struct {
		kind deployment.Kind
		path string
	}{
		{deployment.Bootstrap, file}, {deployment.Folder, content}, {deployment.ZIP, zipped(t, content)},
		{deployment.Context, folder(t, map[string][]byte{"Dockerfile": []byte("FROM scratch\nCOPY bootstrap /var/task/\nENTRYPOINT [\"/var/task/bootstrap\"]\n"), "bootstrap": read(t, file)})},
		{deployment.Context, folder(t, map[string][]byte{"Dockerfile": []byte("FROM public.ecr.aws/lambda/provided:al2023\nCOPY bootstrap ${LAMBDA_RUNTIME_DIR}\nCMD [\"handler.run\"]\n"), "bootstrap": read(t, file)})},
		{deployment.Tarball, saved}, {deployment.Layout, layout},
	} {
		r := measure(t, p, form.path)
		if r.Kind != form.kind || r.FirstFailure != "" || len(r.Reads) == 0 {
			t.Fatalf("%s: %+v", form.path, r)
		}
		if want == nil {
			want = r
			if size := int(r.Bytes >> 10); r.Reads[0].Next.PackageKiB < size/3 || r.Reads[0].Next.PackageKiB > size+4 || r.Reads[0].Next.PackageChunks == 0 {
				t.Errorf("read of %d KiB: %+v", size, r.Reads)
			}
			continue
		}
		// On a busy machine one count in a hundred is another window of read-ahead; a form that differs does so each time.
		for again := 2; ; again-- {
			different := otherReads(r, want)
			if different == "" {
				break
			}
			if again == 0 {
				t.Errorf("%s, three times: %s", form.kind, different)
				break
			}
			want, r = measure(t, p, file), measure(t, p, form.path)
		}
	}
}

// otherReads says at which read-ahead a package does not read what an executable alone reads.
func otherReads(r, want *probe.Result) string {
	for i, reads := range r.Reads {
		if !near(reads.Next.PackageKiB, want.Reads[i].Next.PackageKiB, reads.ReadAheadKiB) || !near(reads.First.PackageKiB, want.Reads[i].First.PackageKiB, reads.ReadAheadKiB) {
			return fmt.Sprintf("read-ahead %d: %+v, as an executable alone %+v", reads.ReadAheadKiB, reads, want.Reads[i])
		}
	}
	return ""
}

// Counts of different probers are the same while every CPU is busy, because Go's preemption signals are off: a busy
// machine has more of them.
func TestCountsRepeat(t *testing.T) {
	var done atomic.Bool
	defer done.Store(true)
	for range runtime.NumCPU() {
		go func() {
			for !done.Load() {
			}
		}()
	}
	file := hello(t)
	a, b := measure(t, newProber(t, probe.Options{}), file), measure(t, newProber(t, probe.Options{}), file)
	for i := range a.Reads {
		if x, y := a.Reads[i], b.Reads[i]; !near(x.Next.PackageKiB, y.Next.PackageKiB, x.ReadAheadKiB) || !near(x.First.PackageKiB, y.First.PackageKiB, x.ReadAheadKiB) {
			t.Errorf("two probers count %+v and %+v", x, y)
		}
	}
}

// Files of the base and of the package are counted apart.
func TestScriptReadsTheBase(t *testing.T) {
	t.Parallel()
	script := folder(t, map[string][]byte{"bootstrap": []byte(`#!/bin/bash
api="${AWS_LAMBDA_RUNTIME_API}"
exec 3<>"/dev/tcp/${api%:*}/${api#*:}"
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&3
cat <&3
`)})
	r := measure(t, newProber(t, probe.Options{Limit: 1e9}), script)
	reads := r.Reads[0]
	if reads.Next.PackageKiB != 4 {
		t.Errorf("%d KiB of a script of one page", reads.Next.PackageKiB)
	}
	if r.ColdBy == "loop mount" && (!reads.Next.BaseCounted || reads.Next.BaseKiB < 500 || reads.Next.LibcKiB == 0 || reads.Next.LibcKiB > reads.Next.BaseKiB) {
		t.Errorf("of the base: %+v", reads.Next)
	}
	if !strings.Contains(r.FirstFailure, "; it wrote:\n  HTTP/1.1 200 OK") {
		t.Errorf("no response, and no word of it: %q", r.FirstFailure)
	}
}

// A package of the other architecture is counted under qemu-user, or the error says what to install.
func TestOtherArchitecture(t *testing.T) {
	t.Parallel()
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	p := newProber(t, probe.Options{Rounds: 1})
	pkg, err := open(bootstrap(t, other))
	must(t, err)
	r, err := p.Measure(t.Context(), pkg)
	if err != nil {
		wantError(t, err, "qemu-user-static")
		need.Tool(t, map[string]string{"arm64": "qemu-aarch64-static", "amd64": "qemu-x86_64-static"}[other])
	}
	must(t, err)
	if !r.Emulated || r.CPU != nil || r.Architecture.GOARCH() != other || r.Reads[0].Next.PackageKiB < 1000 {
		t.Errorf("%+v", r)
	}
	own := measure(t, p, bootstrap(t, runtime.GOARCH))
	if ratio := float64(r.Reads[0].Next.PackageKiB) / float64(own.Reads[0].Next.PackageKiB); ratio < 0.8 || ratio > 1.2 {
		t.Errorf("the same source reads %.2f times as much on %s", ratio, other)
	}
	pkg.Architecture = arm.Architecture(map[string]string{"amd64": "arm64", "arm64": "x86_64"}[other])
	_, err = p.Measure(t.Context(), pkg)
	wantError(t, err, "Runtime.InvalidEntrypoint")
}

func TestCPUAndFaults(t *testing.T) {
	t.Parallel()
	p := newProber(t, probe.Options{Rounds: 1})
	r := measure(t, p, bootstrap(t, runtime.GOARCH))
	if r.CPU == nil { // no perf events here: a warning must say it
		if len(r.Warnings) == 0 {
			t.Error("no CPU time, and no word of it")
		}
		need.Missing(t, "perf events: the kernel counts no CPU time here")
	}
	if r.CPU.InitMs <= 0 || r.CPU.InitMs > 1000 || r.CPU.FirstMs == nil || r.CPU.MinorFaults+r.CPU.MajorFaults == 0 {
		t.Errorf("%+v", r.CPU)
	}
	if r.ColdBy != "loop mount" {
		need.Missing(t, "loop devices: "+strings.Join(r.Warnings, "; "))
	}
	// With read-ahead 0 each touched page is a fault, except for the pages that the kernel reads itself.
	pages := map[uint64]bool{}
	for _, f := range r.Faults {
		if f.Path == "/var/task/bootstrap" {
			pages[f.Offset>>12] = true
		}
	}
	if touched := r.Reads[1].Next.PackageKiB / 4; len(pages) < touched*9/10 || len(pages) > touched*11/10 {
		t.Errorf("%d pages faulted, %d touched", len(pages), touched)
	}
}

// A package near Lambda's limit neither fills the memory nor reads more than it touches.
func TestLargePackage(t *testing.T) {
	dir := folder(t, map[string][]byte{"bootstrap": read(t, bootstrap(t, runtime.GOARCH))})
	must(t, os.WriteFile(filepath.Join(dir, "model.bin"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(dir, "model.bin"), 240<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := measure(t, newProber(t, probe.Options{Rounds: 1}), dir)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d MB were allocated", grown>>20)
	}
	if r.Bytes < 240<<20 || r.Reads[0].Next.PackageKiB > 20<<10 {
		t.Errorf("%+v", r)
	}
}

func upxPacked(t *testing.T) []byte {
	upx := need.Tool(t, "upx", "upx-ucl")
	file := filepath.Join(t.TempDir(), "bootstrap")
	must(t, os.WriteFile(file, read(t, bootstrap(t, runtime.GOARCH)), 0o755))
	out, err := exec.Command(upx, "-q", "-1", file).CombinedOutput()
	if err != nil {
		t.Fatalf("upx: %v: %s", err, out)
	}
	return read(t, file)
}

func TestPackedByUPXIsSeen(t *testing.T) {
	t.Parallel()
	packed := upxPacked(t)
	info, err := os.Stat(bootstrap(t, runtime.GOARCH))
	must(t, err)
	r := measure(t, newProber(t, probe.Options{Rounds: 1}), folder(t, map[string][]byte{"bootstrap": packed}))
	if r.UPX == nil || r.UPX.LZMA || math.Abs(float64(r.UPX.UnpackedBytes)/float64(info.Size())-1) > 0.1 {
		t.Errorf("%+v, unpacked %d bytes", r.UPX, info.Size())
	}
	if all := len(packed) >> 10; r.Reads[0].Next.PackageKiB < all*9/10 {
		t.Errorf("%d KiB read of %d: not all of a packed file", r.Reads[0].Next.PackageKiB, all)
	}
}

// If there are many files, only those that were opened are counted, in every form of package.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	files := script(`#!/bin/bash
for i in 7 300 399; do read -r line </var/task/data/$i; done
a=$AWS_LAMBDA_RUNTIME_API
exec 3<>/dev/tcp/${a%:*}/${a#*:}
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&3
read -r line <&3 # until the event comes
`)
	for i := range 400 {
		files[fmt.Sprintf("data/%d", i)] = []byte("a line\n")
	}
	image := map[string][]byte{"Dockerfile": []byte("FROM public.ecr.aws/lambda/provided:al2023\nCOPY package/ /var/task/\nENTRYPOINT [\"/var/task/bootstrap\"]\n")}
	for name, content := range files {
		image["package/"+name] = content
	}
	p := newProber(t, probe.Options{Limit: time.Minute, Rounds: 1})
	for _, form := range []string{folder(t, files), folder(t, image)} {
		for _, reads := range measure(t, p, form).Reads {
			if reads.Next.PackageKiB != 16 || reads.Next.PackageChunks != 4 {
				t.Errorf("%s, read-ahead %d: %+v, want a page of the script and of each of three files", form, reads.ReadAheadKiB, reads.Next)
			}
		}
	}
}
