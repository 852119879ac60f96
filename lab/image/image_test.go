package image

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// context writes a context folder; a content that begins with "->" is a link.
func context(t *testing.T, dockerfile string, files map[string]string) string {
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
	i, err := Read(dir, "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := i.LayOut(root, empty...); err != nil {
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

// Each WORKDIR is there from its line on: a file copied to its name afterwards goes into it.
func TestEachWorkDir(t *testing.T) {
	dir := context(t, "FROM scratch\nWORKDIR /app\nCOPY one /app\nWORKDIR /empty\nWORKDIR below\n", map[string]string{"one": "1"})
	got, err := layOut(t, dir)
	if want := "app/\napp/one 755 1\nempty/\nempty/below/\n"; err != nil || got != want {
		t.Errorf("%v:\n%s\nwant:\n%s", err, got, want)
	}
}

func TestLayOut(t *testing.T) {
	dir := context(t, `FROM scratch
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
	dir := context(t, "FROM scratch\nCOPY first/ /\nCOPY second/ /door/\n", map[string]string{"first/door": "->" + outside, "second/evil": "x"})
	if _, err := layOut(t, dir); err == nil || !strings.Contains(err.Error(), "Dockerfile:3: ") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("outside: %v", left)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	if _, err := layOut(t, context(t, "FROM scratch\n\nCOPY gone/ /\n", map[string]string{})); err == nil || !strings.Contains(err.Error(), "Dockerfile:3: COPY gone finds nothing in ") {
		t.Errorf("got %v", err)
	}
	if _, err := Read(context(t, "FROM scratch\nRUN true\n", map[string]string{}), "Dockerfile"); err == nil || !strings.Contains(err.Error(), "Dockerfile:2: ") {
		t.Errorf("got %v", err)
	}
	if _, err := Read(t.TempDir(), "../Dockerfile"); err == nil {
		t.Error("a Dockerfile outside of its context")
	}
}

func TestWithin(t *testing.T) {
	for text, want := range map[string]bool{
		"COPY a /var/task": true, "COPY a /var/task/": true, "COPY a /var/task/b\nWORKDIR /var/task/c": true, "WORKDIR /var/task": true, "ENV A=b": true,
		"COPY a /var/taskb": false, "COPY a /": false, "COPY a /var/task/\nWORKDIR /work": false, "COPY a /var/task/\nCOPY a /opt/": false, "COPY a /var/task/../b": false,
	} {
		i, err := Read(context(t, "FROM public.ecr.aws/lambda/provided:al2023\n"+text+"\nENTRYPOINT [\"/e\"]\n", map[string]string{"a": "x"}), "Dockerfile")
		if err != nil {
			t.Fatal(err)
		}
		if i.Within("/var/task") != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}

// What the base has is there to be copied into.
func TestCopyIntoAFolderOfTheBase(t *testing.T) {
	got, err := layOut(t, context(t, "FROM public.ecr.aws/lambda/provided:al2023\nCOPY a /var/task\nENTRYPOINT [\"/e\"]\n", map[string]string{"a": "x"}), "/var/task")
	if err != nil || got != "var/\nvar/task/\nvar/task/a 755 x\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCommand(t *testing.T) {
	i, err := Read(context(t, "FROM scratch\nENTRYPOINT [\"/e\", \"-x\"]\nCMD [\"c\"]\n", map[string]string{}), "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ entryPoint, arguments, want []string }{
		{nil, nil, []string{"/e", "-x", "c"}},
		{nil, []string{"d"}, []string{"/e", "-x", "d"}},
		{[]string{"/f"}, nil, []string{"/f"}},
		{[]string{"/f"}, []string{"d"}, []string{"/f", "d"}},
	} {
		if got := i.Command(test.entryPoint, test.arguments); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v, %v: %v", test.entryPoint, test.arguments, got)
		}
	}
}
