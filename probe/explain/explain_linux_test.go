package explain_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
	"github.com/twinstart/twinstart/tools/need"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// explained measures an executable and explains it.
func explained(t *testing.T, path string) (*probe.Result, []*explain.Explanation) {
	t.Helper()
	need.Time(t)
	var files []*explain.Explanation
	p, err := probe.New(probe.Options{Rounds: 1, Look: func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		files, err = explain.Package(r, open)
		return err
	}})
	must(t, err)
	defer p.Close()
	pkg, err := deployment.Open(path)
	must(t, err)
	r, err := p.Measure(t.Context(), &probe.Package{Package: pkg})
	must(t, err)
	return r, files
}

func item(items []*explain.Item, name string) *explain.Item {
	for _, i := range items {
		if i.Name == name {
			return i
		}
	}
	return &explain.Item{}
}

// Also of a stripped Go binary, the explanation says which package wanted which pages. It must count each page once.
func TestStrippedGo(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "../../lab/testdata/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, files := explained(t, bin)
	e := files[0]
	if e.File != "/var/task/bootstrap" || len(e.Imports) == 0 || e.ReadKiB != r.Reads[0].Next.PackageKiB {
		t.Fatalf("%+v: %d KiB were counted", e, r.Reads[0].Next.PackageKiB)
	}
	for _, items := range [][]*explain.Item{e.Owners, e.Sections} {
		read, wanted := 0, 0
		for i, item := range items {
			read, wanted = read+item.ReadKiB, wanted+item.TouchedKiB
			parts := 0
			for _, p := range item.Parts {
				parts += p.ReadKiB
			}
			if parts != item.ReadKiB {
				t.Errorf("the parts of %s make %d KiB of %d", item.Name, parts, item.ReadKiB)
			}
			if i > 0 && items[i-1].ReadKiB < item.ReadKiB {
				t.Errorf("%s comes before %s, but fewer KiB of it were read", items[i-1].Name, item.Name)
			}
		}
		if read != e.ReadKiB || wanted != e.TouchedKiB {
			t.Errorf("all items: %d KiB read, %d wanted; the file: %d KiB read, %d wanted", read, wanted, e.ReadKiB, e.TouchedKiB)
		}
	}
	t.Run("exact", func(t *testing.T) {
		if r.ColdBy != "loop mount" || len(r.Faults) == 0 {
			need.Missing(t, "loop devices and perf events: page faults are not traced here")
		}
		if !e.Exact || item(e.Owners, "net/http").TouchedKiB == 0 || item(e.Owners, "runtime").TouchedKiB < 200 || item(e.Sections, ".gopclntab").Hint == "" {
			t.Errorf("%+v", e.Owners[:5])
		}
	})
	var page bytes.Buffer
	must(t, explain.HTML(&page, explain.Page{Name: "a <script>", Forecast: explain.Forecast{MsPerKiB: 0.007}, Files: files}))
	text := page.String()
	for _, want := range []string{"net/http", "not measured there", "Where does INIT go?", "Go&#39;s runtime", `"name":"net/http"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if shown, _, _ := strings.Cut(text, `<script type`); strings.Contains(text, "a <script>") || strings.Contains(shown, "NaN") {
		t.Error("the page has a name that is not escaped, or NaN in its visible part")
	}
}

const source = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
static const char table_that_is_read[65536] = {1};
static const char table_that_is_not[262144] = {1};
__attribute__((noinline)) int read_the_table(void) { int sum = 0; for (int i = 0; i < 65536; i += 4096) sum += table_that_is_read[i]; return sum; }
__attribute__((noinline)) int never(int i) { return table_that_is_not[i]; }
int main(int argc, char **argv) {
	char host[64], request[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
	if (read_the_table() == 12345 || argc > 9) return never(argc);
	strncpy(host, getenv("AWS_LAMBDA_RUNTIME_API"), 63);
	char *port = strchr(host, ':');
	*port++ = 0;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	inet_pton(AF_INET, host, &to.sin_addr);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(s, (struct sockaddr *)&to, sizeof to) || write(s, request, sizeof request - 1) < 0) return 1;
	read(s, host, sizeof host);
	return 0;
}
`

// In a C program with symbols, the function that reads a table must be named. A table that no function reads must have
// nearly no pages.
func TestSymbolsOfC(t *testing.T) {
	cc := need.Tool(t, "cc")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "boot.c"), []byte(source), 0o644))
	if out, err := exec.Command(cc, "-O1", "-static", "-o", filepath.Join(dir, "bootstrap"), filepath.Join(dir, "boot.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, files := explained(t, filepath.Join(dir, "bootstrap"))
	e := files[0]
	if len(e.Notes) > 0 {
		t.Fatalf("%+v", e)
	}
	if len(r.Faults) == 0 {
		need.Missing(t, "perf events: page faults are not traced here")
	}
	wanted := map[string]int{} // in C each function is an owner, and the data that it wanted is a part of it
	for _, owner := range e.Owners {
		for _, part := range owner.Parts {
			wanted[part.Name] += part.TouchedKiB
		}
	}
	read := item(item(e.Owners, "read_the_table").Parts, "table_that_is_read").TouchedKiB
	if runtime.GOARCH == "amd64" && read < 56 || wanted["table_that_is_read"] < 56 || wanted["table_that_is_not"] > 4 {
		t.Errorf("%d KiB of the table that is read were wanted, %d of them by the function that reads it; of the other table: %d", wanted["table_that_is_read"], read, wanted["table_that_is_not"])
	}
	if runtime.GOARCH == "amd64" && !strings.Contains(item(e.Sections, ".rodata").Hint, "read_the_table") {
		t.Errorf("%q does not say who wanted the table", item(e.Sections, ".rodata").Hint)
	}
}

// A file that is not an ELF file, or is only the beginning of one, is explained as a whole.
func TestOtherFiles(t *testing.T) {
	for name, content := range map[string]string{"script": "#!/bin/sh\n", "cut off": "\x7fELF\x02\x01\x01\x00"} {
		e := explain.File(probe.File{Path: "/f", Size: int64(len(content)), Touched: []byte{1}, ReadAhead: []byte{1}}, nil, strings.NewReader(content))
		if e.ReadKiB != 4 || len(e.Owners) != 1 || e.Owners[0].Name != "(file)" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// The kernel needs no section headers, so a file with invalid ones is explained by its segments.
func TestInvalidSectionHeaders(t *testing.T) {
	file, err := os.Executable()
	must(t, err)
	content, err := os.ReadFile(file)
	must(t, err)
	copy(content[40:48], bytes.Repeat([]byte{0xff}, 8)) // e_shoff
	pages := bytes.Repeat([]byte{1}, (len(content)+4095)/4096)
	e := explain.File(probe.File{Path: "/f", Size: int64(len(content)), Touched: pages, ReadAhead: pages}, nil, bytes.NewReader(content))
	if e.ReadKiB != 4*len(pages) || item(e.Sections, "(code)").ReadKiB == 0 || !strings.Contains(strings.Join(e.Notes, "\n"), "no valid section headers") {
		t.Errorf("%+v", e)
	}
}
