// Package dockerfile reads the part of the Dockerfile language that lays out a file system by copying, so that an image can be
// built, and its root file system laid out, without a Docker daemon.
//
//	FROM COPY ENV WORKDIR ENTRYPOINT CMD    ENTRYPOINT and CMD in exec form, FROM once, COPY without options
//	LABEL USER EXPOSE                       kept
//
// Anything else (RUN, ADD, ARG, several stages) is an error that names file and line and says "needs Docker": a Dockerfile
// is read as Docker would read it or not at all. The grammar is buildkit's own parser.
// See https://docs.docker.com/reference/dockerfile/.
package dockerfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Image is what a Dockerfile says. A nil slice and an empty string mean that it says nothing: the base's own value stands.
type Image struct {
	From       string // image reference, or "scratch"
	Copies     []Copy // in order: a later one overwrites what an earlier one wrote
	Env        []KV   // in order of first assignment, each name once
	WorkDir    string // absolute and clean: the last of Folders
	Folders    []Folder
	Entrypoint []string
	Cmd        []string
	Labels     []KV
	User       string
	Expose     []string // as written: "8080" or "8080/tcp"
}

// KV is a name and its value.
type KV struct{ Key, Value string }

// Copy is one COPY instruction.
type Copy struct {
	// Sources are slash-separated, clean, below the build context ("." is all of it), and may hold the wildcards of path.Match.
	// Of a source that is a folder the content is copied, not the folder itself.
	Sources []string
	// Dest is absolute. It ends in a slash where it must be a folder, whatever the sources are.
	Dest string
	Line int
}

// Folder is one WORKDIR instruction: from its line on there is that folder, and a COPY to its name goes into it.
type Folder struct {
	Path string // absolute and clean
	Line int
}

// Scratch is the empty base.
const Scratch = "scratch"

// Error is what a Dockerfile says that is wrong or that is not read here.
type Error struct {
	File string
	Line int // 1 is the first; 0 where the file as a whole is meant
	Msg  string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Parse reads a Dockerfile. Errors about its content are *Error.
func Parse(name string) (*Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading a Dockerfile: %w", err)
	}
	defer f.Close()
	return Read(f, name)
}

// Read is Parse for content that is at hand; name stands in errors.
func Read(r io.Reader, name string) (*Image, error) {
	result, err := parser.Parse(r)
	if err != nil {
		return nil, grammarError(name, err)
	}
	rd := reader{name: name, lex: shell.NewLex(result.EscapeToken)}
	for _, node := range result.AST.Children {
		rd.line = node.StartLine
		if err := rd.instruction(node); err != nil {
			return nil, err
		}
	}
	if rd.image.From == "" {
		return nil, &Error{File: name, Msg: "there is no FROM"}
	}
	return &rd.image, nil
}

// grammarError keeps the line that buildkit found.
func grammarError(name string, err error) error {
	e := &Error{File: name, Msg: oneLine(err.Error())}
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		e.Line = located.Locations[0][0].Start.Line
	}
	return e
}

// reader fills an Image, instruction by instruction.
type reader struct {
	name  string
	line  int
	lex   *shell.Lex
	image Image
}

func (r *reader) errorf(format string, args ...any) error {
	return &Error{File: r.name, Line: r.line, Msg: oneLine(fmt.Sprintf(format, args...))}
}

// oneLine keeps an error on its line, whatever a Dockerfile smuggles into it.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// setEnv assigns as Docker does: the last value stands, in the place of the first.
func setEnv(list []KV, key, value string) []KV {
	if i := slices.IndexFunc(list, func(kv KV) bool { return kv.Key == key }); i >= 0 {
		list[i].Value = value
		return list
	}
	return append(list, KV{key, value})
}

// absolute resolves a destination against WORKDIR, keeping a trailing slash. The folder that a base starts in is not known here.
func (r *reader) absolute(p string) (string, error) {
	if !path.IsAbs(p) {
		switch {
		case r.image.WorkDir != "":
			p = r.image.WorkDir + "/" + p
		case r.image.From == Scratch:
			p = "/" + p
		default:
			return "", r.errorf("%s is relative to the base image's working folder, which is not known here: give a WORKDIR first", p)
		}
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}
