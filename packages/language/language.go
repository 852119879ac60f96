// Package language builds functions of projects like handlers/geo, which has a folder for each language and in it a
// program or module for each function. The result is the folder that Lambda finds at /var/task. The same sources and
// tools make the same bytes.
//
// Lock files pin the dependencies of Go, Rust, Python and Node.js by digest; pom.xml and the projects of .NET pin
// versions. Builds are kept below archive.Cache, named by their sources and
// tools.
package language

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// Language is a language of functions.
type Language struct {
	Name    string // its folder, and its level in experiments: "rust"
	Doc     string
	Runtime string // Lambda's name of the runtime, usually the newest
	Older   string // why Runtime is not the newest; "" if it is
	Source  string // the project's folder, if it is not Name
	Variant bool   // an experiment has it only if it is asked for

	handler string   // Lambda's name of a function's handler; %s is the function, or its class if there is a ::
	tools   []string // commands that print versions, which are part of a build's name
	remedy  string   // what to do if a tool is missing
	build   func(ctx context.Context, b *build) error

	// part makes files that the package has besides the language's own, and returns their folder. It may be nil.
	part func(ctx context.Context, kept string, a arm.Architecture) (dir string, err error)
}

// Handler returns the handler's name that Lambda is given for a function.
func (l Language) Handler(function string) string {
	if strings.Contains(l.handler, "::") {
		function = camel(function)
	}
	return strings.ReplaceAll(l.handler, "%s", function)
}

// Function is a function to build.
type Function struct {
	Project string // folder with the languages' folders
	Name    string
	Bare    bool // it needs none of the project's libraries, for example an SDK, so none is packed
}

// unused is the time after which a build that nobody uses is removed.
const unused = 30 * 24 * time.Hour

// build is one build: a copy of the sources, which it may change, and the folder to fill.
type build struct {
	Function
	arm.Architecture
	src, out string
	kept     string // folder that later builds of the language use again
	part     string // the result of Language.part
}

// Build returns the folder of a function's package. If a tool is missing, the error is a *packages.UnavailableError.
func (l Language) Build(ctx context.Context, f Function, a arm.Architecture) (string, error) {
	cache, err := archive.Cache("languages")
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s for %s", l.Name, a)
	h := sha256.New()
	fmt.Fprintln(h, "1", l.Name, f.Name, f.Bare, a, l.Runtime == "python3.13" && compiler(ctx) != "")
	for _, tool := range l.tools {
		words := strings.Fields(tool)
		if _, err := exec.LookPath(words[0]); err != nil {
			return "", &packages.UnavailableError{What: name, Why: "no " + words[0] + " here", Remedy: l.remedy}
		}
		version, err := run(ctx, "", nil, words...)
		if err != nil {
			return "", fmt.Errorf("asking for a version: %w", err)
		}
		fmt.Fprintf(h, "%s\n", version)
	}
	source := filepath.Join(f.Project, cmp.Or(l.Source, l.Name))
	digest, err := archive.FolderDigest(source)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(h, digest)
	b := &build{Function: f, Architecture: a, kept: filepath.Join(cache, "kept-"+l.Name)}
	if l.part != nil {
		if b.part, err = l.part(ctx, b.kept, a); err == nil {
			digest, err = archive.FolderDigest(b.part)
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, digest)
	}
	done := filepath.Join(cache, fmt.Sprintf("%s-%s-%s-%x", l.Name, f.Name, a, h.Sum(nil)[:8]))
	err = archive.Once(done, func(out string) error {
		tmp, err := os.MkdirTemp(cache, ".tmp-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		b.src, b.out = filepath.Join(tmp, "src"), out
		err = errors.Join(os.CopyFS(b.src, os.DirFS(source)), os.MkdirAll(b.kept, 0o755))
		if err == nil {
			err = l.build(ctx, b)
		}
		now := time.Now()
		return errors.Join(err, archive.Settle(out), os.Chtimes(out, now, now))
	})
	if errors.As(err, new(*packages.UnavailableError)) {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("building %s in %s: %w", f.Name, name, err)
	}
	now := time.Now()
	err = errors.Join(os.MkdirAll(b.kept, 0o755), os.Chtimes(b.kept, now, now), archive.Used(done, unused))
	return done, err
}

// run runs a tool in a folder. Its error ends with the end of the tool's output.
func run(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		said, tool := list.OneLine(string(out)), strings.Join(args[:min(2, len(args))], " ")
		return out, fmt.Errorf("running %s: %w: %s", tool, err, said[max(0, len(said)-600):])
	}
	return out, nil
}

// camel returns the class's name for a function's name: SearchConcurrent for search-concurrent.
func camel(name string) string {
	var out strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		out.WriteString(string(unicode.ToUpper(rune(word[0]))) + word[1:])
	}
	return out.String()
}
