package builder_test

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/packages/builder"
)

// contextOf writes a context folder. Content that begins with "->" is a link's target.
func contextOf(t *testing.T, dockerfile string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["Dockerfile"] = dockerfile
	for name, content := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if to, ok := strings.CutPrefix(content, "->"); ok && err == nil {
			err = os.Symlink(to, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte(content), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func layOut(t *testing.T, dir string, empty ...string) (string, error) {
	t.Helper()
	i, err := builder.Define(dir, "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, folder := range empty {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.LayOut(root); err != nil {
		return "", err
	}
	var b strings.Builder
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil || rel == ".":
		case entry.IsDir():
			fmt.Fprintf(&b, "%s/\n", rel)
		case entry.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			fmt.Fprintf(&b, "%s -> %s\n", rel, to)
		default:
			content, _ := os.ReadFile(path)
			info, _ := entry.Info()
			fmt.Fprintf(&b, "%s %o %s\n", rel, info.Mode(), content)
		}
		return err
	})
	return b.String(), err
}

func TestLayOut(t *testing.T) {
	dir := contextOf(t, `FROM scratch
COPY root/ /
COPY package/ /var/task/
COPY package/bootstrap /opt/tool
COPY package/b* package/handler.sh /opt/all/
COPY other /var/task/handler.sh
WORKDIR /work/dir
ENTRYPOINT ["/var/task/bootstrap", "-x"]
CMD ["handler.run"]
`, map[string]string{"root/bin/bash": "->../var/task/bash", "package/bootstrap": "boot", "package/handler.sh": "handler", "package/lib/x": "x", "other": "other"})
	got, err := layOut(t, dir, "/proc", "/dev", "/tmp")
	if err != nil {
		t.Fatal(err)
	}
	const want = `bin/
bin/bash -> ../var/task/bash
dev/
opt/
opt/all/
opt/all/bootstrap 755 boot
opt/all/handler.sh 755 handler
opt/tool 755 boot
proc/
tmp/
var/
var/task/
var/task/bootstrap 755 boot
var/task/handler.sh 755 other
var/task/lib/
var/task/lib/x 755 x
work/
work/dir/
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestLayOutStaysInTheRoot(t *testing.T) {
	outside := t.TempDir()
	dir := contextOf(t, "FROM scratch\nCOPY first/ /\nCOPY second/ /door/\n", map[string]string{"first/door": "->" + outside, "second/evil": "x"})
	got, err := layOut(t, dir)
	if err != nil || !strings.Contains(got, strings.TrimPrefix(outside, "/")+"/evil ") { // inside the image the link leads to that path
		t.Errorf("%v: %s", err, got)
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("outside: %v", left)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	if _, err := layOut(t, contextOf(t, "FROM scratch\n\nCOPY gone/ /\n", map[string]string{})); err == nil || !strings.Contains(err.Error(), "Dockerfile:3: COPY gone") {
		t.Errorf("want an error that names line 3: %v", err)
	}
	if _, err := builder.Define(contextOf(t, "FROM scratch\nRUN true\n", map[string]string{}), "Dockerfile"); err == nil || !strings.Contains(err.Error(), "Dockerfile:2: ") {
		t.Errorf("want an error that names line 2: %v", err)
	}
	if _, err := builder.Define(t.TempDir(), "../Dockerfile"); err == nil {
		t.Error("no error for a Dockerfile outside of its context")
	}
}

func TestWithin(t *testing.T) {
	for text, want := range map[string]bool{
		"COPY a /var/task": true, "COPY a /var/task/": true, "COPY a /var/task/b\nWORKDIR /var/task/c": true, "WORKDIR /var/task": true, "ENV A=b": true,
		"COPY a /var/taskb": false, "COPY a /": false, "COPY a /var/task/\nWORKDIR /work": false, "COPY a /var/task/\nCOPY a /opt/": false, "COPY a /var/task/../b": false,
	} {
		i, err := builder.Define(contextOf(t, "FROM public.ecr.aws/lambda/provided:al2023\n"+text+"\nENTRYPOINT [\"/e\"]\n", map[string]string{"a": "x"}), "Dockerfile")
		if err != nil {
			t.Fatal(err)
		}
		if i.Within("/var/task") != want {
			t.Errorf("%q: Within is %v, want %v", text, !want, want)
		}
	}
}

// TestFromAnImage copies files from an image unchanged, with their modes, through links and whiteouts.
func TestFromAnImage(t *testing.T) {
	host := newRegistry(t, nil)
	pushBase(t, host+"/adapter:1", arm64, v1.Config{}, []tar.Header{{Name: "adapter"}, {Name: "old"}, {Name: "lib/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "lib/a"},
		{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin", Mode: 0o777}, {Name: "usr/bin/tool"}, {Name: "hard", Typeflag: tar.TypeLink, Linkname: "adapter"},
		{Name: "opaque/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "opaque/old"}},
		[]tar.Header{{Name: ".wh.old"}, {Name: "alias", Typeflag: tar.TypeSymlink, Linkname: "/adapter"}, {Name: "bin/more"},
			{Name: "opaque/.wh..wh..opq", Typeflag: tar.TypeReg}, {Name: "opaque/new"}})
	for text, want := range map[string]string{
		"COPY --from=HOST/adapter:1 /adapter /opt/extensions/adapter":    "opt/extensions/adapter 0 0640 0:0 epoch content of adapter",
		"COPY --from=HOST/adapter:1 /alias /b":                           "b 0 0640 0:0 epoch content of adapter",
		"COPY --from=HOST/adapter:1 --chmod=755 --chown=993:990 /lib /l": "l/a 0 0755 993:990 epoch content of lib/a",
		"COPY --from=HOST/adapter:1 /hard /b":                            "b 0 0640 0:0 epoch content of adapter",
		"COPY --from=HOST/adapter:1 /bin /b":                             "b/tool 0 0640 0:0 epoch content of usr/bin/tool",
		"COPY --from=HOST/adapter:1 /usr/bin /b":                         "b/more 0 0640 0:0 epoch content of bin/more",
		"COPY --from=HOST/adapter:1 /opaque/new /b":                      "b 0 0640 0:0 epoch content of opaque/new",
		"COPY --from=HOST/adapter:1 /opaque/old /b":                      "!Dockerfile:2: COPY opaque/old",
		"COPY --from=HOST/adapter:1 /old /b":                             "!Dockerfile:2: COPY old",
		"COPY --from=HOST/absent:1 /a /b":                                "!Dockerfile:2: COPY --from=HOST/absent:1: ",
	} {
		text, want = strings.ReplaceAll(text, "HOST", host), strings.ReplaceAll(want, "HOST", host)
		dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n" + text + "\n"})
		b := newBuilder(t)
		_, err := b.Build(t.Context(), builder.Options{Context: dir, Platform: "linux/arm64", Tags: []string{host + "/app:1"}})
		if message, refused := strings.CutPrefix(want, "!"); refused {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err == nil {
			_, err = b.Push(t.Context(), host+"/app:1")
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		name, is, _ := strings.Cut(want, " ")
		if got := listing(t, pulled(t, host+"/app:1"))[name]; got != is {
			t.Errorf("%s: %q, want %q", text, got, is)
		}
	}
}

// ADD must not copy what docker would unpack.
func TestAddOfAnArchive(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\nADD a.gz /\n", "a.gz": "\x1f\x8b\x08"})
	_, err := newBuilder(t).Build(t.Context(), builder.Options{Context: dir})
	if err == nil || !strings.Contains(err.Error(), "Dockerfile:2: ADD of ") || !strings.Contains(err.Error(), "needs Docker") {
		t.Error(err)
	}
}

// Folders of the base can be copied into.
func TestCopyIntoAFolderOfTheBase(t *testing.T) {
	got, err := layOut(t, contextOf(t, "FROM public.ecr.aws/lambda/provided:al2023\nCOPY a /var/task\nENTRYPOINT [\"/e\"]\n", map[string]string{"a": "x"}), "/var/task")
	if err != nil || got != "var/\nvar/task/\nvar/task/a 755 x\n" {
		t.Errorf("want the file in the base's folder: %q, %v", got, err)
	}
}
