package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/packages"
)

// TestPackage packs a handler in two places. The bytes must be the same, and the package must run.
func TestPackage(t *testing.T) {
	var made [2]string
	for i := range made {
		inEmptyFolder(t)
		handlerFolder(t, "mine")
		status, stdout, stderr := twinstart(t, "package", "./mine", "--bootstrap", "bashtcp", "-o", "fn.zip")
		if status != exitOK || !strings.Contains(stdout, "fn.zip: ") || !strings.Contains(stdout, "Runtime provided.al2023, Handler handler.run, CodeSha256 ") {
			t.Fatalf("status %d: %s%s", status, stdout, stderr)
		}
		content, err := os.ReadFile("fn.zip")
		if err != nil {
			t.Fatal(err)
		}
		made[i] = string(content)
	}
	if made[0] != made[1] {
		t.Error("two packages of the same handler differ")
	}
	status, stdout, stderr := twinstart(t, "invoke", "fn.zip", "--event", write(t, "e.json", `{"n": 1}`))
	if status != exitOK || strings.TrimSpace(stdout) != `{"n": 1}` {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := twinstart(t, "package", "--layer", "--bootstrap", "bashtcp", "--arch", "arm64", "-o", "layer.zip"); status != exitOK || !strings.Contains(stdout, "a layer for functions on provided.al2023") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

// TestPackageMistakes expects that each mistake gets an error and leaves no file.
func TestPackageMistakes(t *testing.T) {
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no function":    {[]string{"mine", "--handler", "handler.go", "--bootstrap", "bashtcp"}, "mine/handler.sh has no function go (it has other, run)"},
		"no folder":      {[]string{"nosuch", "--bootstrap", "bashtcp"}, "there is no nosuch/handler.sh"},
		"neither":        {[]string{"--bootstrap", "bashtcp"}, "name a handler's folder, or --layer"},
		"both":           {[]string{"mine", "--layer", "--bootstrap", "bashtcp"}, "name a handler's folder, or --layer"},
		"which":          {[]string{"mine"}, "say which bootstrap: --bootstrap rawsyscall (needs Go or a released archive) or --bootstrap bashtcp (needs neither)\n"},
		"no bootstrap":   {[]string{"mine", "--bootstrap", "perl"}, `unknown bootstrap "perl": there are bashcurl, `},
		"architecture":   {[]string{"mine", "--bootstrap", "bashtcp", "--arch", "riscv"}, `--architecture must be one of "arm64","x86_64" but got "riscv"`},
		"nowhere to put": {[]string{"mine", "--bootstrap", "bashtcp", "-o", "no/such/fn.zip"}, "there is no folder no/such: create it\n"},
		"handler's name": {[]string{"mine", "--bootstrap", "bashtcp", "--handler", "$(x).run"}, "is not a valid name"},
	} {
		status, stdout, stderr := twinstart(t, append([]string{"package", "-o", "fn.zip"}, test.args...)...)
		if status != exitUsage || !strings.Contains(stderr, test.want) || stdout != "" {
			t.Errorf("%s: status %d: %s%s", name, status, stdout, stderr)
		}
		if found, _ := filepath.Glob("*.zip"); len(found) > 0 {
			t.Errorf("%s: made %v", name, found)
		}
	}
}

// TestPackageHelpListsBootstraps expects each bootstrap in the help, with its description from package packages.
func TestPackageHelpListsBootstraps(t *testing.T) {
	status, stdout, _ := twinstart(t, "package", "--help")
	for _, b := range packages.Bootstraps() {
		if status != exitOK || !strings.Contains(stdout, b.Name) || !strings.Contains(stdout, b.Doc[:20]) {
			t.Errorf("status %d: no %s in %s", status, b.Name, stdout)
		}
	}
}

// TestBootstrapsWithoutSources runs a development build in a folder outside the module. There it has no sources of the
// bootstraps in Go, but can measure those in Bash.
func TestBootstrapsWithoutSources(t *testing.T) {
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	status, _, stderr := twinstart(t, "run", "mine", "--bootstrap", "bashtcp,rawsyscall", "--cold", "1", "--warm", "0", "--out", "o")
	if status != exitIncomplete || !strings.Contains(stderr, "mine rawsyscall: this twinstart was built in a clone") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, _, stderr := twinstart(t, "package", "mine", "--bootstrap", "rawsyscall", "-o", "fn.zip"); status != exitUsage || !strings.Contains(stderr, "run it there, or use a released archive") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
