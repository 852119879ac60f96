package probe_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/tools/need"
)

// near says whether two counts repeat: to half a per cent of what is read, one of what is touched, or two pages. Of few pages, that a stack
// grows elsewhere is more.
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
	file := bootstrap(t, runtime.GOARCH)
	content := folder(t, map[string][]byte{"bootstrap": read(t, file)})
	saved, layout := images(t, content)
	var want *probe.Result
	for _, form := range []struct {
		kind deployment.Kind
		path string
	}{
		{deployment.Bootstrap, file}, {deployment.Folder, content}, {deployment.ZIP, zipped(t, content)},
		{deployment.Context, folder(t, map[string][]byte{"Dockerfile": []byte("FROM scratch\nCOPY package/ /var/task/\nENTRYPOINT [\"/var/task/bootstrap\"]\n"), "package/bootstrap": read(t, file)})},
		{deployment.Tarball, saved}, {deployment.Tarball, layout},
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
		for i, reads := range r.Reads {
			if !near(reads.Next.PackageKiB, want.Reads[i].Next.PackageKiB, reads.ReadAheadKiB) || !near(reads.First.PackageKiB, want.Reads[i].First.PackageKiB, reads.ReadAheadKiB) {
				t.Errorf("%s, read-ahead %d: %+v, as an executable alone %+v", form.kind, reads.ReadAheadKiB, reads, want.Reads[i])
			}
		}
	}
}

// images are a folder's content as docker save writes an image of it, and as an OCI layout in a tar.
func images(t *testing.T, content string) (saved, oci string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, root, prefix string) string {
		f, err := os.Create(filepath.Join(dir, name))
		must(t, err)
		w := tar.NewWriter(f)
		must(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			rel, _ := filepath.Rel(root, path)
			info, err := entry.Info()
			must(t, err)
			must(t, w.WriteHeader(&tar.Header{Name: prefix + rel, Mode: int64(info.Mode().Perm()), Size: info.Size(), Typeflag: tar.TypeReg}))
			_, err = w.Write(read(t, path))
			return err
		}))
		must(t, w.Close())
		must(t, f.Close())
		return f.Name()
	}
	layer, err := tarball.LayerFromFile(write("layer.tar", content, "var/task/"))
	must(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	must(t, err)
	config, err := img.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.Architecture, config.OS = runtime.GOARCH, "linux"
	config.Config.Entrypoint = []string{"/var/task/bootstrap"}
	img, err = mutate.ConfigFile(img, config)
	must(t, err)
	saved = filepath.Join(dir, "saved.tar")
	must(t, tarball.WriteToFile(saved, name.MustParseReference("function:latest"), img))
	path, err := layout.Write(filepath.Join(dir, "layout"), empty.Index)
	must(t, err)
	must(t, path.AppendImage(img, layout.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})))
	return saved, write("oci.tar", filepath.Join(dir, "layout"), "")
}

// Counts repeat, from prober to prober, while every CPU is busy: Go's signals of preemption, which a busy machine has more of, are off.
func TestCountsRepeat(t *testing.T) {
	var done atomic.Bool
	defer done.Store(true)
	for range runtime.NumCPU() {
		go func() {
			for !done.Load() {
			}
		}()
	}
	file := bootstrap(t, runtime.GOARCH)
	a, b := measure(t, newProber(t, probe.Options{}), file), measure(t, newProber(t, probe.Options{}), file)
	for i := range a.Reads {
		if x, y := a.Reads[i], b.Reads[i]; !near(x.Next.PackageKiB, y.Next.PackageKiB, x.ReadAheadKiB) || !near(x.First.PackageKiB, y.First.PackageKiB, x.ReadAheadKiB) {
			t.Errorf("two probers count %+v and %+v", x, y)
		}
	}
}

// What is of the base is told from what is of the package.
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
	pkg, err := probe.Open(bootstrap(t, other))
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
	if r.CPU == nil { // no perf events here: it must be said
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
	// With read-ahead 0 each page that is touched is a fault, but for those that the kernel reads itself.
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

// The base image's own files are counted apart from the user's in a tarball.
func TestUnpackedBase(t *testing.T) {
	t.Parallel()
	busybox, err := exec.LookPath("bash")
	must(t, err)
	root := t.TempDir()
	for _, dir := range []string{"usr", "proc", "dev", "tmp", "var/task"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	_, err = probe.New(probe.Options{BaseRoot: busybox})
	wantError(t, err, "has no folder")
	r := measure(t, newProber(t, probe.Options{BaseRoot: root, Rounds: 1}), bootstrap(t, runtime.GOARCH))
	if r.Reads[0].Next.BaseKiB != 0 || r.FirstFailure != "" {
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

// Of many files those that were opened are counted, in every form of package.
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

// An image whose layer leads out of it, or ends too early, is told, and no ELF file is refused for its section headers.
func TestBrokenPackages(t *testing.T) {
	t.Parallel()
	content := folder(t, map[string][]byte{"bootstrap": read(t, bootstrap(t, runtime.GOARCH))})
	saved, _ := images(t, content)
	p := newProber(t, probe.Options{Rounds: 1})
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"leads out": {func(layer []byte) []byte {
			return bytes.Replace(layer, []byte("var/task/bootstrap\x00"), []byte("../../ask/bootstrap\x00")[:19], 1)
		}, "unpacking"},
		"cut off": {func(layer []byte) []byte { return layer[:len(layer)/2] }, "unpacking"},
	} {
		file := filepath.Join(t.TempDir(), "image.tar")
		changeLayer(t, saved, file, test.change)
		pkg, err := probe.Open(file)
		if err == nil {
			_, err = p.Measure(t.Context(), pkg)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bogus := read(t, bootstrap(t, runtime.GOARCH))
	binary.LittleEndian.PutUint64(bogus[40:], 1<<63)
	binary.LittleEndian.PutUint16(bogus[60:], 65535)
	if r := measure(t, p, folder(t, map[string][]byte{"bootstrap": bogus})); r.Reads[0].Next.PackageKiB < 1000 {
		t.Errorf("%+v", r.Reads)
	}
}

// changeLayer writes an image again with another content of its layer.
func changeLayer(t *testing.T, from, to string, change func([]byte) []byte) {
	t.Helper()
	in := tar.NewReader(bytes.NewReader(read(t, from)))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		content, err := io.ReadAll(in)
		must(t, err)
		if z, err := gzip.NewReader(bytes.NewReader(content)); err == nil { // the layer
			content, err = io.ReadAll(z)
			must(t, err)
			var zipped bytes.Buffer
			zw := gzip.NewWriter(&zipped)
			_, err = zw.Write(change(content))
			must(t, errors.Join(err, zw.Close()))
			content, header.Size = zipped.Bytes(), int64(zipped.Len())
		}
		must(t, w.WriteHeader(header))
		_, err = w.Write(content)
		must(t, err)
	}
	must(t, w.Close())
	must(t, os.WriteFile(to, out.Bytes(), 0o644))
}
