// Package dockerfile reads Dockerfiles that run nothing, so that an image can be built, and its root file system laid out, without a Docker
// daemon. It takes what docker takes, with the base's variables and working folder, build arguments and options:
//
//	FROM [--platform]  ARG  COPY, ADD of local files and here-documents [--from=STAGE or IMAGE --chmod --chown --link]
//	ENV WORKDIR ENTRYPOINT CMD LABEL USER EXPOSE VOLUME STOPSIGNAL MAINTAINER      kept
//	HEALTHCHECK SHELL ONBUILD         read and left out: Lambda ignores them; SHELL counts for the shell form
//
// RUN is an error that names file and line and says "needs Docker", and so is whatever else would have to run, be fetched or be unpacked: a
// Dockerfile is read as docker would read it or not at all. A stage of which the last one needs nothing is not carried out, as BuildKit
// leaves it out. The grammar is buildkit's own parser.
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
	Volumes    []string
	StopSignal string
	Author     string
	Platform   string // that FROM names, "linux/arm64"; "" is that of the build
}

// Options are what a build adds to a Dockerfile.
type Options struct {
	Args     map[string]string // build arguments by name
	Platform string            // of the image: linux/arm64 or linux/amd64
	// Base says what a base image sets, for FROM of that platform ("" is the build's). Nil: what is known of Lambda's own bases.
	Base func(from, platform string) (*Config, error)
	// Declared hears the name of each ARG; nil: nobody.
	Declared func(name string)
}

// Config is what a base image sets.
type Config struct {
	Env     []KV
	WorkDir string
	Shell   []string
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

	Texts  []Text // here-documents, each a file
	From   string // an image whose files are copied, or Stage's name; "" is the build context
	Stage  *Image // a stage of this file; nil: none
	Mode   *int64 // --chmod
	UID    int    // --chown
	GID    int
	Linked bool // --link: links in the destination are not followed
	Add    bool // ADD: an archive would be unpacked
}

// Text is a here-document: a file by its content.
type Text struct{ Name, Content string }

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
func Parse(name string, o Options) (*Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading a Dockerfile: %w", err)
	}
	defer f.Close()
	return Read(f, name, o)
}

// Read is Parse for content that is at hand; name stands in errors.
func Read(r io.Reader, name string, o Options) (*Image, error) {
	result, err := parser.Parse(r)
	if err != nil {
		return nil, grammarError(name, err)
	}
	f := file{name: name, options: o, lex: shell.NewLex(result.EscapeToken)}
	if err := f.split(result.AST.Children); err != nil {
		return nil, err
	}
	last, err := f.read(len(f.stages) - 1)
	if err != nil {
		return nil, err
	}
	return &last.image, nil
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

// reader fills an Image, instruction by instruction, of one stage.
type reader struct {
	*file
	line  int
	image Image

	base   *Config  // nil: not known
	args   []KV     // ARG of this stage
	index  int      // of this stage
	shell  []string // of the shell form
	hasCmd bool     // CMD stands in this stage
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

// absolute resolves a destination against WORKDIR, the file's or the base's, keeping a trailing slash.
func (r *reader) absolute(p string) (string, error) {
	if !path.IsAbs(p) {
		switch {
		case r.image.WorkDir != "":
			p = r.image.WorkDir + "/" + p
		case r.base != nil:
			p = r.base.WorkDir + "/" + p
			if p[0] != '/' {
				p = "/" + p
			}
		default:
			return "", r.errorf("%s is relative to the working folder of %s, which is not known here: give a WORKDIR first", p, r.image.From)
		}
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}
