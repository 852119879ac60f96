package builder_test

import (
	"archive/tar"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/builder"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

var (
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
)

// The pushed image, flattened, must be what the Dockerfile describes, by name, mode, owner, time and content.
func TestAnImageFromScratch(t *testing.T) {
	host := newRegistry(t, nil)
	dir := folder(t, map[string]string{
		"Dockerfile": `FROM scratch
COPY root/ /
COPY package/ /var/task/
COPY one two* /opt/
COPY alias /opt/
COPY one /opt/renamed
ENV LAMBDA_TASK_ROOT=/var/task A="two words"
LABEL title="a b"
USER 993
EXPOSE 8080
WORKDIR /var/task/work
ENTRYPOINT ["/var/task/bootstrap"]
CMD ["handler.run"]
`,
		"root/bin/bash":       "->../var/task/bash",
		"root/tmp/":           "",
		"package/bootstrap!":  "#!/bin/bash\n",
		"package/handler.sh":  "run() { :; }\n",
		"package/lib/empty":   "",
		"package/broken link": "->nowhere",
		"one":                 "1",
		"two":                 "2",
		"two.more":            "2+",
		"alias":               "->one",
		"not copied":          "x",
	})
	b := newBuilder(t)
	result := build(t, b, dir, "linux/arm64", host+"/app:1")
	if _, err := b.Push(context.Background(), host+"/app:1"); err != nil {
		t.Fatal(err)
	}
	img := pulled(t, host+"/app:1")
	if err := validate.Image(img); err != nil {
		t.Errorf("the image is not valid: %v", err)
	}
	want := map[string]string{
		"bin/":                 "5 0755 0:0 epoch",
		"bin/bash":             "2 0777 0:0 epoch -> ../var/task/bash",
		"tmp/":                 "5 0755 0:0 epoch",
		"var/":                 "5 0755 0:0 epoch",
		"var/task/":            "5 0755 0:0 epoch",
		"var/task/bootstrap":   "0 0755 0:0 epoch #!/bin/bash\n",
		"var/task/handler.sh":  "0 0644 0:0 epoch run() { :; }\n",
		"var/task/lib/":        "5 0755 0:0 epoch",
		"var/task/lib/empty":   "0 0644 0:0 epoch",
		"var/task/broken link": "2 0777 0:0 epoch -> nowhere",
		"var/task/work/":       "5 0755 0:0 epoch",
		"opt/":                 "5 0755 0:0 epoch",
		"opt/one":              "0 0644 0:0 epoch 1",
		"opt/two":              "0 0644 0:0 epoch 2",
		"opt/two.more":         "0 0644 0:0 epoch 2+",
		"opt/alias":            "0 0644 0:0 epoch 1",
		"opt/renamed":          "0 0644 0:0 epoch 1",
	}
	if diff := cmp.Diff(want, listing(t, img)); diff != "" {
		t.Errorf("files: want -, got +:\n%s", diff)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	wantConfig := v1.Config{
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LAMBDA_TASK_ROOT=/var/task", "A=two words"},
		Cmd: []string{"handler.run"}, Entrypoint: []string{"/var/task/bootstrap"}, WorkingDir: "/var/task/work", User: "993",
		Labels: map[string]string{"title": "a b"},
	}
	if diff := cmp.Diff(wantConfig, config.Config); diff != "" {
		t.Errorf("configuration: want -, got +:\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != "arm64" || !config.Created.Equal(archive.Epoch) {
		t.Errorf("for %s/%s, created %v", config.OS, config.Architecture, config.Created)
	}
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.DockerManifestSchema2 || manifest.Layers[0].MediaType != types.DockerLayer ||
		manifest.Config.MediaType != types.DockerConfigJSON {
		t.Errorf("media types: %+v", manifest)
	}
	if len(manifest.Layers) != 6 || len(config.History) != 6 {
		t.Errorf("%d layers, %d steps of history: want one for each COPY and one for WORKDIR", len(manifest.Layers), len(config.History))
	}
	if digest, _ := img.Digest(); digest != result.Digest {
		t.Errorf("the registry holds %s, the build said %s", digest, result.Digest)
	}
}

var alBase = []tar.Header{
	{Name: "usr/", Typeflag: tar.TypeDir, Mode: 0o755},
	{Name: "usr/bin/", Typeflag: tar.TypeDir, Mode: 0o755},
	{Name: "usr/bin/bash"},
	{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin", Mode: 0o777},
	{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
	{Name: "var/", Typeflag: tar.TypeDir, Mode: 0o700},
	{Name: "var/old"},
	{Name: "opt/", Typeflag: tar.TypeDir, Mode: 0o755},
	{Name: "opt/gone"},
}

// An image on a base: links of the base are followed as in a mounted image, its folders keep their modes, its
// settings stay unless the Dockerfile changes them, and its layers are unchanged.
func TestAnImageOnABase(t *testing.T) {
	host := newRegistry(t, nil)
	base := pushBase(t, host+"/base:1", amd64, v1.Config{Env: []string{"PATH=/bin", "KEPT=1", "SET=1"}, Cmd: []string{"x"},
		Entrypoint: []string{"/e"}, User: "7", Labels: map[string]string{"kept": "1"}},
		alBase, []tar.Header{{Name: "opt/.wh.gone", Typeflag: tar.TypeReg, Mode: 0o644}, {Name: "opt/new"}})
	dir := folder(t, map[string]string{
		"Dockerfile": "FROM " + host + "/base:1\nCOPY tool /bin/\nCOPY tool /tmp\nCOPY tool /var/old\nCOPY d /var/task\nCOPY tool /opt/gone/x\n" +
			"ENV SET=2 NEW=3\nENTRYPOINT [\"/bin/tool\"]\n",
		"tool!": "tool", "d/f": "f",
	})
	b := newBuilder(t)
	result := build(t, b, dir, "linux/amd64", host+"/app:1")
	var sent atomic.Int32
	b.Progress = func(line string, _ int64) {
		if strings.HasPrefix(line, "pushing ") {
			sent.Add(1)
		}
	}
	if _, err := b.Push(context.Background(), host+"/app:1"); err != nil {
		t.Fatal(err)
	}
	if n := sent.Load(); n != 5 {
		t.Errorf("%d layers are sent: want 5, and the 2 layers of the base mounted", n)
	}
	img := pulled(t, host+"/app:1")
	if err := validate.Image(img); err != nil {
		t.Errorf("the image is not valid: %v", err)
	}
	want := map[string]string{
		"usr/": "5 0755 0:0", "usr/bin/": "5 0755 0:0", "usr/bin/bash": "0 0640 0:0 content of usr/bin/bash",
		"bin": "2 0777 0:0 -> usr/bin", "tmp/": "5 1777 0:0", "var/": "5 0700 0:0", "opt/": "5 0755 0:0",
		"opt/new":      "0 0640 0:0 content of opt/new",
		"usr/bin/tool": "0 0755 0:0 epoch tool", "tmp/tool": "0 0755 0:0 epoch tool", "var/old": "0 0755 0:0 epoch tool",
		"var/task/": "5 0755 0:0 epoch", "var/task/f": "0 0644 0:0 epoch f",
		"opt/gone/": "5 0755 0:0 epoch", "opt/gone/x": "0 0755 0:0 epoch tool",
	}
	if diff := cmp.Diff(want, listing(t, img)); diff != "" {
		t.Errorf("files: want -, got +:\n%s", diff)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	wantConfig := v1.Config{Env: []string{"PATH=/bin", "KEPT=1", "SET=2", "NEW=3"}, Entrypoint: []string{"/bin/tool"}, User: "7",
		Labels: map[string]string{"kept": "1"}, WorkingDir: "/"}
	if diff := cmp.Diff(wantConfig, config.Config); diff != "" {
		t.Errorf("configuration: want -, got +:\n%s", diff)
	}
	baseDigest, err := base.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if want := host + "/base@" + baseDigest.String(); result.Base != want {
		t.Errorf("base %s: want %s", result.Base, want)
	}
}

// A digest must not depend on the machine: all machines get the golden digest.
func TestDigestsRepeat(t *testing.T) {
	files := map[string]string{
		"Dockerfile": "FROM scratch\nCOPY d /d\nCOPY f link /e/\n", "d/1": strings.Repeat("compress me ", 1e4), "d/2!": "2", "f": "f", "link": "->f",
	}
	var digests []string
	for i := range 2 {
		dir := folder(t, files)
		if err := os.Chtimes(filepath.Join(dir, "f"), time.Now(), time.Unix(int64(i), 0)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "d"), []os.FileMode{0o700, 0o777}[i]); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "f"), []os.FileMode{0o600, 0o664}[i]); err != nil {
			t.Fatal(err)
		}
		b := newBuilder(t)
		for range 2 {
			digests = append(digests, build(t, b, dir, "linux/arm64").Digest.String())
		}
	}
	const golden = "sha256:2ab56196c262ac71a655e1d43221650fccf56971344a9772173ac87d07e706ab"
	for _, digest := range digests {
		if digest != golden {
			t.Errorf("digests %s: want %s", digests, golden)
			break
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	host := newRegistry(t, nil)
	pushBase(t, host+"/base:1", arm64, v1.Config{}, alBase)
	from := "FROM " + host + "/base:1\n"
	for _, test := range []struct{ name, text, want string }{
		{"run", "FROM scratch\n\nRUN true\n", "Dockerfile:3: RUN needs Docker"},
		{"missing", "FROM scratch\nCOPY nothing /\n", "Dockerfile:2: COPY nothing: not in the build context"},
		{"no match", "FROM scratch\nCOPY *.none /\n", "Dockerfile:2: COPY *.none: no file of the build context matches"},
		{"bad pattern", "FROM scratch\nCOPY [ /\n", "Dockerfile:2: COPY [: "},
		{"broken link", "FROM scratch\nCOPY broken /\n", "Dockerfile:2: COPY broken: not in the build context"},
		{"loop", "FROM scratch\nCOPY loop /\n", "Dockerfile:2: COPY loop: "},
		{"outside", "FROM scratch\nCOPY outside /\n", "Dockerfile:2: COPY outside: not in the build context"},
		{"folder over a link", from + "COPY root/ /\n", "Dockerfile:2: COPY puts a folder at /bin, where the image has a symbolic link"},
		{"file over a folder", from + "COPY files/ /\n", "Dockerfile:2: COPY puts a file at /tmp, where the image has a folder"},
		{"below a file", from + "COPY file /var/old/x\n", "Dockerfile:2: /var/old is a file in the image"},
		{"folder to a file", from + "COPY root /var/old\n", "Dockerfile:2: /var/old is a file in the image"},
		{"workdir is a file", from + "WORKDIR /var/old\n", "Dockerfile:2: WORKDIR /var/old: /var/old is a file in the image"},
		{"no base of that name", "FROM " + host + "/none:1\n", "getting base image " + host + "/none:1: "},
		{"no name", "FROM ::::\n", "Dockerfile: FROM ::::"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, map[string]string{
				"Dockerfile": test.text, "file": "", "root/bin/x": "", "files/tmp": "", "broken": "->nowhere", "loop": "->loop",
				"outside": "->../../../../../../etc/hostname",
			})
			b := newBuilder(t)
			t.Chdir(dir)
			_, err := b.Build(context.Background(), builder.Options{Context: ".", Platform: "linux/arm64", Tags: []string{"app"}})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v: want one line that starts %q", err, test.want)
			}
			var file *dockerfile.Error
			if strings.HasPrefix(test.want, "Dockerfile") && !errors.As(err, &file) {
				t.Errorf("error %T is not a *dockerfile.Error", err)
			}
			if _, err := b.Store.Image("app"); !errors.Is(err, builder.ErrNoImage) {
				t.Errorf("a failed build left an image: %v", err)
			}
		})
	}
}

func TestContextsThatAreNotValid(t *testing.T) {
	pipe := folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n"})
	if err := syscall.Mkfifo(filepath.Join(pipe, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ context, platform, want string }{
		{pipe, "", "pipe is neither file, folder nor symbolic link"},
		{filepath.Join(pipe, "none"), "", "no such file"},
		{pipe, "windows/amd64", "Lambda runs linux/arm64 and linux/amd64 only"},
		{pipe, "linux/s390x", "Lambda runs linux/arm64 and linux/amd64 only"},
		{pipe, "linux", "Lambda runs linux/arm64 and linux/amd64 only"},
	} {
		_, err := newBuilder(t).Build(context.Background(), builder.Options{Context: test.context, Platform: test.platform})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v: want one with %q", err, test.want)
		}
	}
	_, err := newBuilder(t).Build(context.Background(), builder.Options{Context: pipe, Tags: []string{"UPPER CASE"}})
	if err == nil || !strings.Contains(err.Error(), `"UPPER CASE"`) {
		t.Errorf("error %v: want one that names the tag", err)
	}
}
