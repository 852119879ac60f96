package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

func documents(t *testing.T) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	return append(files, filepath.Join(repository, "README.md"))
}

var (
	block    = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")
	indented = regexp.MustCompile(`(?m)^ {4}(bin/)?(twinstart|make|npx|cdk|aws|sam|go) .*`)
	link     = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
)

// commands returns the commands in a document's blocks, without blocks whose first line is "# on AWS".
func commands(t *testing.T, file string) (all [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		parsed, err := syntax.NewParser().Parse(strings.NewReader(m[1]), filepath.Base(file))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		syntax.Walk(parsed, func(node syntax.Node) bool {
			call, is := node.(*syntax.CallExpr)
			if !is {
				return true
			}
			words, err := expand.Fields(&expand.Config{}, call.Args...)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
			if !strings.HasPrefix(m[1], "# on AWS\n") {
				all = append(all, words)
			} else if words[0] == "twinstart" || words[0] == "bin/twinstart" {
				parses(t, words[1:])
			}
			return false
		})
	}
	for _, line := range indented.FindAllString(string(text), -1) {
		t.Errorf("%s: a command outside a block of sh is not tried: %s", filepath.Base(file), line)
	}
	return all
}

// parses checks that the flags exist in a command line that needs an account and so is not run.
func parses(t *testing.T, args []string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Vars{"version": ""})
	if err == nil {
		_, err = parser.Parse(args)
	}
	if err != nil {
		t.Errorf("twinstart %q: %v", args, err)
	}
}

// TestCommandsOfDocuments runs the commands of README and docs that need no account, with few samples. make runs with -n.
func TestCommandsOfDocuments(t *testing.T) {
	need.Time(t)
	if err := os.MkdirAll(filepath.Join(repository, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Join(repository, "build"), "docs-") // below go.mod: bootstraps are built from these sources
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must := func(args ...string) {
		if status, stdout, stderr := twinstart(t, args...); status != exitOK {
			t.Fatalf("%q: status %d: %s%s", args, status, stdout, stderr)
		}
	}
	handlerFolder(t, "my-handler")
	write(t, "event.json", "{}")
	must("package", "my-handler", "--bootstrap", "rawsyscall", "-o", "function.zip")
	for _, name := range []string{"old.zip", "new.zip"} {
		if err := os.Link("function.zip", name); err != nil {
			t.Fatal(err)
		}
	}
	image, err := (&packages.Workspace{Dir: "build"}).ImageContext(t.Context(), arm.Image, "bashtcp", arm.Host(), "my-handler")
	if err == nil {
		err = os.Rename(image, "image")
	}
	if err != nil {
		t.Fatal(err)
	}
	must("run", "function.zip", "--phases", "--cold", "6", "--warm", "10", "--out", "out/main")
	for _, copied := range []string{"out/branch", "out/packaging"} {
		if err := os.CopyFS(copied, os.DirFS("out/main")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.jsonl", "b.jsonl"} {
		if err := os.Link(filepath.Join("out/main", recordsName), name); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, file := range documents(t) {
		for _, words := range commands(t, file) {
			n++
			if err := try(t, words); err != nil {
				t.Errorf("%s: %q: %v", filepath.Base(file), words, err)
			}
		}
	}
	t.Logf("%d commands", n)
}

// try runs one command.
func try(t *testing.T, words []string) error {
	t.Helper()
	var cmd *exec.Cmd
	switch words[0] {
	case "sudo": // env PATH=..., then the command
		return try(t, words[3:])
	case "twinstart":
		args := slices.Clone(words[1:])
		if args[0] == "run" {
			args = append(args, "--cold", "1", "--warm", "1")
		}
		if status, _, stderr := twinstart(t, args...); status != exitOK && (status != exitUsage || !strings.Contains(stderr, "not built on this machine")) {
			return fmt.Errorf("status %d: %s", status, stderr)
		}
		return nil
	case "make":
		cmd = exec.Command("make", append([]string{"-n"}, words[1:]...)...)
	case "go":
		if words[1] == "install" { // nothing can be installed before the first release
			path, _, _ := strings.Cut(words[2], "@")
			cmd = exec.Command("go", "list", path)
		} else {
			cmd = exec.Command("go", "vet", words[2])
		}
	default:
		return fmt.Errorf("this test cannot try %s: mark its block \"# on AWS\" if it needs an account", words[0])
	}
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestLinksOfDocuments checks that links lead to files that exist.
func TestLinksOfDocuments(t *testing.T) {
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
	}
}

// TestArmsAreNamedInTheCodesWords checks that README describes each bootstrap as package packages does.
func TestArmsAreNamedInTheCodesWords(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range packages.Bootstraps() {
		if row := fmt.Sprintf("\n| %s | %s | ", b.Name, b.Doc); !strings.Contains(string(text), row) {
			t.Errorf("README has no row %s", row)
		}
	}
}
