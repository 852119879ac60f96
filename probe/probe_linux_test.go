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

// near reports whether two counts of KiB differ by at most 0.5 %, or 1 % without read-ahead, or two pages. If a program
// touches few pages, a stack that grows a little more is more than 1 %.
func near(a, b, readAheadKiB int) bool {
	part := 0.005
	if readAheadKiB == 0 {
		part = 0.01
	}
	return math.Abs(float64(a-b)) <= math.Max(8, part*math.Max(float64(a), float64(b)))
}

// The counts of an executable must not depend on the form of its package.
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
				t.Errorf("of an executable of %d KiB were read: %+v", size, r.Reads)
			}
			continue
		}
		again := func() (a, b *probe.Result) { return measure(t, p, form.path), measure(t, p, file) }
		if different := lasting(r, want, again); different != "" {
			t.Errorf("%s and an executable alone, three times: %s", form.kind, different)
		}
	}
}

// lasting says how two results differ, also after again has measured both twice more. On a busy machine one count in a
// hundred has another window of read-ahead, so a difference that does not come back is no error.
func lasting(a, b *probe.Result, again func() (a, b *probe.Result)) (different string) {
	for range 2 {
		if different = difference(a, b); different == "" {
			return ""
		}
		a, b = again()
	}
	return difference(a, b)
}

// difference says at which read-ahead two results differ.
func difference(r, want *probe.Result) string {
	for i, reads := range r.Reads {
		if !near(reads.Next.PackageKiB, want.Reads[i].Next.PackageKiB, reads.ReadAheadKiB) || !near(reads.First.PackageKiB, want.Reads[i].First.PackageKiB, reads.ReadAheadKiB) {
			return fmt.Sprintf("read-ahead %d: %+v and %+v", reads.ReadAheadKiB, reads, want.Reads[i])
		}
	}
	return ""
}

// On a busy machine, Go's preemption signals would add a few pages to some counts. So they are off in a Go program.
func TestGoRunsWithoutPreemption(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	must(t, os.WriteFile(source, []byte("package main\n\nimport \"os\"\n\nfunc main() { println(\"GODEBUG is\", os.Getenv(\"GODEBUG\")); os.Exit(3) }\n"), 0o644))
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pkg, err := open(filepath.Join(dir, "bootstrap"))
	must(t, err)
	_, err = newProber(t, probe.Options{Rounds: 1}).Measure(t.Context(), pkg)
	wantError(t, err, "GODEBUG is asyncpreemptoff=1")
}

// Two probers must count the same while every CPU is busy.
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
	both := func() (a, b *probe.Result) {
		return measure(t, newProber(t, probe.Options{}), file), measure(t, newProber(t, probe.Options{}), file)
	}
	a, b := both()
	if different := lasting(a, b, both); different != "" {
		t.Errorf("two probers, three times: %s", different)
	}
}

// Reads of the package and of the base must be counted separately.
func TestScriptReadsTheBase(t *testing.T) {
	t.Parallel()
	script := folder(t, map[string][]byte{"bootstrap": []byte(`#!/bin/bash
api="${AWS_LAMBDA_RUNTIME_API}"
exec 3<>"/dev/tcp/${api%:*}/${api#*:}"
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&3
cat <&3
`)})
	r := measure(t, newProber(t, probe.Options{Limit: 5 * time.Second, Rounds: 1}), script) // cat never answers
	reads := r.Reads[0]
	if reads.Next.PackageKiB != 4 {
		t.Errorf("%d KiB are counted of a script of one page", reads.Next.PackageKiB)
	}
	if r.ColdBy == "loop mount" && (!reads.Next.BaseCounted || reads.Next.BaseKiB < 500 || reads.Next.LibcKiB == 0 || reads.Next.LibcKiB > reads.Next.BaseKiB) {
		t.Errorf("the counts of the base: %+v", reads.Next)
	}
	if !strings.Contains(r.FirstFailure, "; it wrote:\n  HTTP/1.1 200 OK") {
		t.Errorf("the script sent no response, but the result says %q", r.FirstFailure)
	}
}

// A package of the other architecture is counted under qemu-user. Without qemu-user the error says what to install.
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
		t.Errorf("built for %s, the same program reads %.2f times as much", other, ratio)
	}
	pkg.Architecture = arm.Architecture(map[string]string{"amd64": "arm64", "arm64": "x86_64"}[other])
	_, err = p.Measure(t.Context(), pkg)
	wantError(t, err, "Runtime.InvalidEntrypoint")
}

func TestCPUAndFaults(t *testing.T) {
	t.Parallel()
	p := newProber(t, probe.Options{Rounds: 1})
	r := measure(t, p, bootstrap(t, runtime.GOARCH))
	if r.CPU == nil { // this machine has no perf events, and a warning must say it
		if len(r.Warnings) == 0 {
			t.Error("there is no CPU time and no warning")
		}
		need.Missing(t, "perf events: the kernel counts no CPU time here")
	}
	if r.CPU.InitMs <= 0 || r.CPU.InitMs > 1000 || r.CPU.FirstMs == nil || r.CPU.MinorFaults+r.CPU.MajorFaults == 0 {
		t.Errorf("%+v", r.CPU)
	}
	if r.ColdBy != "loop mount" {
		need.Missing(t, "loop devices: "+strings.Join(r.Warnings, "; "))
	}
	// With read-ahead 0 each touched page is a fault, except for pages that the kernel itself reads.
	pages := map[uint64]bool{}
	for _, f := range r.Faults {
		if f.Path == "/var/task/bootstrap" {
			pages[f.Offset>>12] = true
		}
	}
	if touched := r.Reads[1].Next.PackageKiB / 4; len(pages) < touched*9/10 || len(pages) > touched*11/10 {
		t.Errorf("%d pages had a fault, %d were touched", len(pages), touched)
	}
}

// Measuring a package near Lambda's limit must not need much memory, and must count only what was read.
func TestLargePackage(t *testing.T) {
	dir := folder(t, map[string][]byte{"bootstrap": read(t, bootstrap(t, runtime.GOARCH))})
	must(t, os.WriteFile(filepath.Join(dir, "model.bin"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(dir, "model.bin"), 240<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := measure(t, newProber(t, probe.Options{Rounds: 1}), dir)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("the probe allocated %d MB", grown>>20)
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
		t.Errorf("UPX reads its whole file, but only %d of %d KiB were counted", r.Reads[0].Next.PackageKiB, all)
	}
}

// Of many files only those that were read are counted, in a folder and in an image.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	files := script(`#!/bin/bash
for i in 7 300 399; do read -r line </var/task/data/$i; done
a=$AWS_LAMBDA_RUNTIME_API
exec 3<>/dev/tcp/${a%:*}/${a#*:}
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&3
read -r line <&3 # waits for the event
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
				t.Errorf("%s, read-ahead %d: %+v, want one page of the script and one of each of three files", form, reads.ReadAheadKiB, reads.Next)
			}
		}
	}
}
