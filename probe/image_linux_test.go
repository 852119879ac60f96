package probe_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/twinstart/twinstart/probe"
)

// images writes a folder's content as an image twice: as docker save does, and as an OCI layout.
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
	return saved, filepath.Join(dir, "layout")
}

// BaseRoot must be a folder. A static executable reads nothing of the base.
func TestUnpackedBase(t *testing.T) {
	t.Parallel()
	file, err := exec.LookPath("bash")
	must(t, err)
	root := t.TempDir()
	for _, dir := range []string{"usr", "proc", "dev", "tmp", "var/task"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	_, err = probe.New(probe.Options{BaseRoot: file})
	wantError(t, err, "has no folder")
	r := measure(t, newProber(t, probe.Options{BaseRoot: root, Rounds: 1}), bootstrap(t, runtime.GOARCH))
	if r.Reads[0].Next.BaseKiB != 0 || r.Reads[0].Next.BaseCounted != (r.ColdBy == "loop mount") || r.FirstFailure != "" {
		t.Errorf("%+v", r)
	}
}

// A layer that leads out of its image, or is cut off, is an error. Invalid section headers of an ELF file are no error.
func TestBrokenPackages(t *testing.T) {
	t.Parallel()
	content := folder(t, map[string][]byte{"bootstrap": read(t, bootstrap(t, runtime.GOARCH))})
	saved, _ := images(t, content)
	p := newProber(t, probe.Options{Rounds: 1})
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"leads out":     {func(layer []byte) []byte { return renamed(t, layer, "../../task/bootstrap") }, `unsafe tar path "../../task/bootstrap"`},
		"broken header": {func(layer []byte) []byte { return bytes.Replace(layer, []byte("bootstrap"), []byte("BOOTSTRAP"), 1) }, "invalid tar header"},
		"cut off":       {func(layer []byte) []byte { return layer[:len(layer)/2] }, "unexpected EOF"},
	} {
		file := filepath.Join(t.TempDir(), "image.tar")
		changeLayer(t, saved, file, test.change)
		pkg, err := open(file)
		if err == nil {
			_, err = p.Measure(t.Context(), pkg)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "unpacking ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	bogus := read(t, bootstrap(t, runtime.GOARCH))
	binary.LittleEndian.PutUint64(bogus[40:], 1<<63)
	binary.LittleEndian.PutUint16(bogus[60:], 65535)
	if r := measure(t, p, folder(t, map[string][]byte{"bootstrap": bogus})); r.Reads[0].Next.PackageKiB < 1000 {
		t.Errorf("%+v", r.Reads)
	}
}

// renamed returns a layer of one file with another name for the file.
func renamed(t *testing.T, layer []byte, name string) []byte {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(layer))
	header, err := r.Next()
	must(t, err)
	content, err := io.ReadAll(r)
	must(t, err)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	header.Name = name
	must(t, w.WriteHeader(header))
	_, err = w.Write(content)
	must(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

// changeLayer copies an image and changes the bytes of its layer.
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
