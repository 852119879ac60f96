// Package language builds functions of projects like handlers/geo: a folder for each language, in it an entry for each
// function. What is built is the folder that Lambda finds at /var/task, the same bytes every time from the same sources
// and tools.
//
// Dependencies are pinned by each language's own lock file. Builds are kept below Cache, by what they are made from.
package language

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// Language is a language of functions.
type Language struct {
	Name    string // its folder, and its level in experiments: "rust"
	Doc     string
	Runtime string // Lambda's name, of the newest
	Older   string // why it is not the newest
	Source  string // the project's folder, if not Name
	Variant bool   // an experiment has it only if it is asked for

	handler string   // of a function, which %s stands for: of its class, where there is a ::
	tools   []string // asked for their versions, which are part of what a build is made from
	remedy  string   // where a tool is missing
	build   func(ctx context.Context, b *build) error

	// part makes what the package has beside the language's own files, so that it is part of what a build is made from;
	// nil makes nothing.
	part func(ctx context.Context, kept string, a arm.Architecture) (dir string, err error)
}

// Handler is what Lambda calls for a function.
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
	Bare    bool // it needs no library of the project's, such as an SDK, so none is packed
}

// unused is after how long without use a build is removed.
const unused = 30 * 24 * time.Hour

// build is one build: the sources' copy, which it may change, and the folder to fill.
type build struct {
	Function
	arm.Architecture
	src, out string
	kept     string // what later builds of the language use again
	part     string // the folder that Language.part has made
}

// Build returns the folder of a function's package. The error is a *packages.UnavailableError where a tool is missing
// here.
func (l Language) Build(ctx context.Context, f Function, a arm.Architecture) (string, error) {
	cache, err := archive.Cache("languages")
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s for %s", l.Name, a)
	h := sha256.New()
	fmt.Fprintln(h, "1", l.Name, f.Name, f.Bare, a)
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
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("building %s in %s: %w", f.Name, name, err)
	}
	now := time.Now()
	if err := os.Chtimes(b.kept, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return done, archive.Used(done, unused)
}

// run runs a tool in a folder. Its error ends with what the tool said last.
func run(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		said := strings.Join(strings.Fields(string(out)), " ")
		return out, fmt.Errorf("running %s: %w: %s", strings.Join(args[:min(2, len(args))], " "), err, said[max(0, len(said)-600):])
	}
	return out, nil
}

// camel makes a class's name of a function's: search-concurrent is SearchConcurrent.
func camel(name string) string {
	var out strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		out.WriteString(string(unicode.ToUpper(rune(word[0]))) + word[1:])
	}
	return out.String()
}
