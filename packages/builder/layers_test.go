package builder_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/builder"
)

// row is a Dockerfile and the content of each layer that docker makes: name, mode, owner unless it is root, target
// or content.
type row struct {
	name, text string
	want       []string // one string a layer, with "; " between entries
	files      map[string]string
}

// dockerfiles follow https://docs.docker.com/reference/dockerfile/ section by section. A folder that exists is in
// no layer, because the instruction does not change it; docker's own layers repeat it.
var dockerfiles = []row{
	{"COPY to a name", "FROM scratch\nCOPY a.txt /c\n", []string{"c 644 A"}, nil},
	{"COPY to a name in a folder that is not there", "FROM scratch\nCOPY a.txt /c/d/e\n", []string{"c/ 755; c/d/ 755; c/d/e 644 A"}, nil},
	{"COPY with a trailing slash", "FROM scratch\nCOPY a.txt /c/\n", []string{"c/ 755; c/a.txt 644 A"}, nil},
	{"COPY to a folder that is there", "FROM scratch\nCOPY dir /c\nCOPY a.txt /c\n", []string{"c/ 755; c/.hidden 644 H; c/sub/ 755; c/sub/y 644 Y; c/x 644 X", "c/a.txt 644 A"}, nil},
	{"COPY of a folder's content", "FROM scratch\nCOPY dir/ /c/\n", []string{"c/ 755; c/.hidden 644 H; c/sub/ 755; c/sub/y 644 Y; c/x 644 X"}, nil},
	{"COPY to the root", "FROM scratch\nCOPY dir /\n", []string{".hidden 644 H; sub/ 755; sub/y 644 Y; x 644 X"}, nil},
	{"COPY merges folders", "FROM scratch\nCOPY dir /c\nCOPY more /c\n", []string{"c/ 755; c/.hidden 644 H; c/sub/ 755; c/sub/y 644 Y; c/x 644 X", "c/sub/ 755; c/sub/z 644 Z"}, nil},
	{"COPY over a file", "FROM scratch\nCOPY a.txt /c\nCOPY b.txt /c\n", []string{"c 644 A", "c 644 B"}, nil},
	{"COPY by wildcard", "FROM scratch\nCOPY *.txt /c/\n", []string{"c/ 755; c/a.txt 644 A; c/b.txt 644 B"}, nil},
	{"COPY with ? for one letter", "FROM scratch\nCOPY ?.txt run.sh /c/\n", []string{"c/ 755; c/a.txt 644 A; c/b.txt 644 B; c/run.sh 755 R"}, nil},
	{"COPY of a folder by wildcard", "FROM scratch\nCOPY di* /c/\n", []string{"c/ 755; c/.hidden 644 H; c/sub/ 755; c/sub/y 644 Y; c/x 644 X"}, nil},
	{"COPY of a name with a bracket", "FROM scratch\nCOPY arr[[]0].txt /c/\n", []string{"c/ 755; c/arr[0].txt 644 0"}, map[string]string{"arr[0].txt": "0"}},
	{"COPY of names with spaces", "FROM scratch\nCOPY [\"a b\", \"/c d/\"]\n", []string{"c d/ 755; c d/a b 644 s"}, map[string]string{"a b": "s"}},
	{"COPY stays in the context", "FROM scratch\nCOPY ../../a.txt /c\nCOPY /b.txt /d\n", []string{"c 644 A", "d 644 B"}, nil},
	{"COPY of links", "FROM scratch\nCOPY link /c/\nCOPY links /d/\n", []string{"c/ 755; c/link 644 A", "d/ 755; d/in -> ../a.txt"}, map[string]string{"a.txt": "A", "link": "->a.txt", "links/in": "->../a.txt"}},
	{"modes", "FROM scratch\nCOPY run.sh a.txt /c/\nCOPY --chmod=600 run.sh /d\nCOPY --chmod=0711 dir/sub /e/\n",
		[]string{"c/ 755; c/a.txt 644 A; c/run.sh 755 R", "d 600 R", "e/ 755; e/y 711 Y"}, nil},
	{"owners", "FROM scratch\nCOPY --chown=993:990 a.txt /c\nADD --chown=7 a.txt /d\n", []string{"c 644 993:990 A", "d 644 7:7 A"}, nil},
	{"USER does not own what COPY writes", "FROM scratch\nUSER 993\nCOPY a.txt /c\n", []string{"c 644 A"}, nil},
	{"--link", "FROM scratch\nCOPY --link a.txt /c/\n", []string{"c/ 755; c/a.txt 644 A"}, nil},
	{"ADD", "FROM scratch\nADD a.txt /c/\nADD dir/sub d\n", []string{"c/ 755; c/a.txt 644 A", "d/ 755; d/y 644 Y"}, nil},
	{"WORKDIR", "FROM scratch\nWORKDIR /app\nCOPY a.txt /app\nWORKDIR /empty\nWORKDIR below\nCOPY b.txt .\n",
		[]string{"app/ 755", "app/a.txt 644 A", "empty/ 755", "empty/below/ 755", "empty/below/b.txt 644 B"}, nil},
	{"WORKDIR that is there", "FROM scratch\nCOPY dir/sub /w\nWORKDIR /w\nCOPY a.txt b\n", []string{"w/ 755; w/y 644 Y", "w/b 644 A"}, nil},
	{"ENV", "FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\nWORKDIR /$def\nCOPY a.txt ${ghi}-${none:-x}${abc:+y}\nCOPY a.txt \\$abc\n",
		[]string{"hello/ 755", "hello/bye-xy 644 A", "hello/$abc 644 A"}, nil},
	{"ARG", "ARG V=a\nFROM scratch\nCOPY ${V}b.txt /c\nARG V\nCOPY $V.txt /d\nENV V=b\nCOPY $V.txt /e\n", []string{"c 644 B", "d 644 A", "e 644 B"}, map[string]string{"a.txt": "A", "b.txt": "B"}},
	{"here-documents", "FROM scratch\nENV A=1\nCOPY <<EOF /c\n$A\nEOF\nCOPY --chmod=755 <<'a.sh' <<-b.txt dir/x /d/\n$A\na.sh\n\tb\n\tb.txt\nADD <<EOF /e/\nEOF\n",
		[]string{"c 644 1\n", "d/ 755; d/a.sh 755 $A\n; d/b.txt 755 b\n; d/x 755 X", "e/ 755; e/EOF 644"}, nil},
	{".dockerignore", "FROM scratch\nCOPY . /\n", []string{"a 644; d/ 755; d/e 644; keep/ 755; keep/x 644"}, map[string]string{"a": "", "b.log": "", "d/c.log": "", "d/e": "",
		"keep/x": "", "keep/y": "", ".dockerignore": "# comment\nDockerfile\n.dockerignore\n**/*.log\nkeep\n!keep/x\n"}},
	{"the Dockerfile's own ignore file", "FROM scratch\nCOPY a* b* .dockerignore /\n", []string{".dockerignore 644 b\n; b 644"},
		map[string]string{"a": "", "b": "", ".dockerignore": "b\n", "Dockerfile.dockerignore": "a\n"}},
	{"--from a stage", "FROM scratch AS one\nWORKDIR /w\nCOPY --chmod=711 run.sh .\nCOPY dir d\nFROM scratch\nCOPY --from=ONE /w /\nCOPY --from=0 w/d/s* w/run.sh /e/\nCOPY a.txt /\n",
		[]string{"d/ 755; d/.hidden 644 H; d/sub/ 755; d/sub/y 644 Y; d/x 644 X; run.sh 711 R", "e/ 755; e/run.sh 711 R; e/y 644 Y", "a.txt 644 A"}, nil},
	{"--from a stage of a stage", "FROM scratch AS one\nCOPY a.txt /\nCOPY b.txt /a.txt\nFROM one AS two\nCOPY <<t /d/\ntext\nt\nFROM scratch AS three\nCOPY --from=two / /all\nFROM scratch\nCOPY --from=three --chown=5 /all/* /\n",
		[]string{"a.txt 644 5:5 B; t 644 5:5 text\n"}, nil},
	{"FROM a stage", "FROM scratch AS one\nENV A=w\nWORKDIR /$A\nCOPY a.txt .\nFROM one\nCOPY a.txt $A\n", []string{"w/ 755", "w/a.txt 644 A", "w/w 644 A"}, nil},
	{"a stage that nothing needs", "FROM golang:1 AS build\nRUN go build\nFROM scratch\nCOPY a.txt /\n", []string{"a.txt 644 A"}, nil},
	{"--from an image by a stage", "FROM adapter:1 AS a\nFROM scratch\nCOPY --from=a /lib /l\n", []string{"l/ 755; l/a 640 content of lib/a; l/tmp/ 1777"}, nil},
	{"--from a stage on an image", "FROM adapter:1 AS a\nCOPY a.txt /lib/\nCOPY b.txt /adapter\nFROM scratch\nCOPY --from=a /lib /adapter /l/\n",
		[]string{"l/ 755; l/a 640 content of lib/a; l/a.txt 644 A; l/adapter 644 B; l/tmp/ 1777"}, nil},
	{"--from a stage of another platform", "FROM --platform=linux/amd64 other:1 AS a\nCOPY a.txt /\nFROM scratch\nCOPY --from=a /* /l/\n", []string{"l/ 755; l/a.txt 644 A; l/x86 640 content of x86"}, nil},
}

// kept adds the Dockerfiles that match a pattern. Their layers are in files of testdata/ that end in .layers.
func kept(t *testing.T, rows []row, pattern string) []row {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal(pattern, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		beside, _, _ := strings.Cut(strings.TrimPrefix(name, "../../images/"), "Dockerfile")
		want, err := os.ReadFile(filepath.Join("testdata", strings.Trim(strings.TrimPrefix(beside, "testdata/"), "/.")+".layers"))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{name, string(text), strings.Split(strings.TrimSpace(string(want)), "\n"), nil})
	}
	return rows
}

func TestLayersAsDockerMakesThem(t *testing.T) {
	host := newRegistry(t, nil)
	base := []tar.Header{}
	for _, name := range []string{"opt/", "tmp/", "var/", "var/runtime/", "var/task/"} {
		base = append(base, tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755})
	}
	for _, name := range []string{"/provided:al2023", "/lambda/provided:al2023"} {
		pushBase(t, host+name, arm64, v1.Config{Env: []string{"LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime"}, WorkingDir: "/var/task"}, base)
	}
	pushBase(t, host+"/adapter:1", arm64, v1.Config{}, []tar.Header{{Name: "adapter"}, {Name: "lib/", Typeflag: tar.TypeDir, Mode: 0o700}, {Name: "lib/a"},
		{Name: "lib/tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}})
	pushBase(t, host+"/other:1", amd64, v1.Config{}, []tar.Header{{Name: "x86"}})
	rows := kept(t, kept(t, dockerfiles, "testdata/*.Dockerfile"), "../../images/*/Dockerfile")
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			text := test.text
			for _, image := range []string{"public.ecr.aws/lambda/provided:al2023", "provided:al2023", "adapter:1", "other:1"} {
				for _, before := range []string{"--from=", "FROM ", "arm64 ", "amd64 "} {
					text = strings.ReplaceAll(text, before+image, before+host+"/"+strings.TrimPrefix(image, "public.ecr.aws/"))
				}
			}
			files := test.files
			if files == nil {
				files = map[string]string{"a.txt": "A", "b.txt": "B", "run.sh!": "R", "dir/x": "X", "dir/sub/y": "Y", "dir/.hidden": "H", "more/sub/z": "Z",
					"bootstrap!": "boot", "handler.sh": "handler", "package/bootstrap!": "boot", "package/lib/x": "x", "root/bin/bash": "->../b", "root/tmp/": ""}
			}
			files = maps.Clone(files)
			files["Dockerfile"] = text
			dir := folder(t, files)
			got, flat := layersOf(t, dir)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
			if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			sameLaidOut(t, dir, test.text, flat, base)
		})
	}
}

// layersOf builds an image and returns the content of each layer, and of all layers together without those of the
// base.
func layersOf(t *testing.T, dir string) (layers []string, flat map[string]string) {
	t.Helper()
	b := newBuilder(t)
	flat = map[string]string{}
	result := build(t, b, dir, "linux/arm64")
	inherited := 0
	if result.Base != "" {
		inherited = 1 // each base here has one layer
	}
	for _, layer := range result.Layers[inherited:] {
		var lines []string
		entries := entriesOf(t, filepath.Join(b.Store.Dir(), "blobs", "sha256", layer.Digest.Hex))
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			lines = append(lines, name+" "+entries[name])
		}
		layers = append(layers, strings.Join(lines, "; "))
		maps.Copy(flat, entries)
	}
	return layers, flat
}

// entriesOf returns the entries of a layer, and checks that all have the same time.
func entriesOf(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for files := tar.NewReader(zip); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil || !h.ModTime.Equal(archive.Epoch) {
			t.Fatal(h.Name, h.ModTime, err)
		}
		text := fmt.Sprintf("%o", h.Mode)
		if h.Uid|h.Gid != 0 {
			text += fmt.Sprintf(" %d:%d", h.Uid, h.Gid)
		}
		if h.Typeflag == tar.TypeSymlink {
			text = "-> " + h.Linkname
		}
		if out[h.Name] = text; len(content) > 0 {
			out[h.Name] += " " + string(content)
		}
	}
}

var owner = regexp.MustCompile(` \d+:\d+`)

// sameLaidOut checks that LayOut writes the same files as the layers have. It does not compare owners.
func sameLaidOut(t *testing.T, dir, text string, layers map[string]string, base []tar.Header) {
	t.Helper()
	definition, err := builder.Define(dir, "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	for _, h := range base {
		if !definition.Scratch() {
			if err := os.Mkdir(filepath.Join(out, h.Name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = definition.LayOut(out)
	if strings.Contains(text, "adapter:1") || strings.Contains(text, "other:1") {
		if err == nil || !strings.Contains(err.Error(), ": COPY --from=") || !strings.Contains(err.Error(), "images are not pulled for a layout") {
			t.Errorf("layout: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = filepath.WalkDir(out, func(name string, entry fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(out, name)
		info, _ := entry.Info()
		ofBase := !definition.Scratch() && slices.ContainsFunc(base, func(h tar.Header) bool { return h.Name == rel+"/" })
		switch {
		case err != nil || rel == "." || ofBase && layers[rel+"/"] == "":
		case entry.IsDir():
			got[rel+"/"] = fmt.Sprintf("%o", info.Mode().Perm())
		case entry.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(name)
			got[rel] = "-> " + to
		default:
			content, _ := os.ReadFile(name)
			if got[rel] = fmt.Sprintf("%o", info.Mode().Perm()); len(content) > 0 {
				got[rel] += " " + string(content)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, is := range layers {
		layers[name] = owner.ReplaceAllString(is, "")
	}
	if d := cmp.Diff(layers, got); d != "" {
		t.Errorf("layers -, layout +:\n%s", d)
	}
}
