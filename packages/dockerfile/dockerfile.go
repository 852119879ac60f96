// Package dockerfile reads Dockerfiles that run nothing, so that an image can be built, and its root file system
// laid out, without a Docker daemon. It accepts these instructions as docker does. It knows the base's variables and
// working folder, and build arguments:
//
//	FROM [--platform]  ARG  COPY, ADD of local files and here-documents [--from=STAGE or IMAGE --chmod --chown --link]
//	ENV WORKDIR ENTRYPOINT CMD LABEL USER                                            kept
//	EXPOSE VOLUME STOPSIGNAL MAINTAINER HEALTHCHECK ONBUILD SHELL      read and left out: Lambda ignores them;
//	                                                                   SHELL counts for the shell form
//
// RUN is an error with file and line that says "needs Docker", and so is anything else that would have to be run,
// fetched or unpacked: a Dockerfile is read as docker would read it, or not at all. As in BuildKit, a stage that the
// last stage does not need is ignored. The grammar is that of buildkit's parser. See
// https://docs.docker.com/reference/dockerfile/.
package dockerfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/twinstart/twinstart/arm/list"
)

// Image is the content of a Dockerfile. If Options.Base is set, its Config starts as a copy of the base's; otherwise it
// has only what the Dockerfile sets.
type Image struct {
	From     string // image reference, or "scratch"
	Copies   []Copy // in order: a later one may overwrite files of an earlier one
	Platform string // the platform in FROM, "linux/arm64"; "" means the build's
	v1.Config
}

// Options are a build's other inputs.
type Options struct {
	Args     map[string]string // build arguments by name
	Platform string            // of the image: linux/arm64 or linux/amd64
	// Base returns the settings of a base image for a platform ("" means the build's). If it is nil, only the
	// settings of Lambda's own bases are known, to replace variables.
	Base func(from, platform string) (*v1.Config, error)
}

// Copy is a COPY or ADD instruction, or a WORKDIR, which makes the folder Dest and has neither Sources nor Texts.
type Copy struct {
	// Sources are clean slash-separated paths below the build context ("." is all of it) and may have the wildcards
	// of path.Match. If a source is a folder, its content is copied, not the folder itself.
	Sources []string
	// Dest is absolute. It ends in a slash if it must be a folder.
	Dest string
	Line int
	Text string // the instruction as it is written, for the history of the image

	Texts  []Text // here-documents, each a file
	From   string // the image or stage to copy from; "" means the build context
	Stage  *Image // the stage that From names, or nil
	Mode   *int64 // --chmod
	UID    int    // --chown
	GID    int
	Linked bool // --link: do not follow links in the destination
	Add    bool // ADD, which unpacks an archive
}

// Text is a here-document: the name and content of a file.
type Text struct{ Name, Content string }

// Scratch is the empty base.
const Scratch = "scratch"

// Error is an error in a Dockerfile, or something that is not supported here.
type Error struct {
	File string
	Line int // from 1; 0 means the file as a whole
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

// Read reads a Dockerfile from r. name is its name in errors.
func Read(r io.Reader, name string, o Options) (*Image, error) {
	result, err := parser.Parse(r)
	if err != nil {
		return nil, grammarError(name, err)
	}
	stages, arguments, err := instructions.Parse(result.AST, nil)
	if err != nil {
		return nil, grammarError(name, err)
	}
	f := &file{name: name, options: o, lex: shell.NewLex(result.EscapeToken)}
	for _, s := range stages {
		f.stages = append(f.stages, stage{Stage: s})
	}
	if len(f.stages) == 0 {
		return nil, &Error{File: name, Msg: "there is no FROM"}
	}
	for _, before := range arguments {
		if err := (&reader{file: f, line: line(before.Location())}).argument(before.Args); err != nil {
			return nil, err
		}
	}
	last, err := f.read(len(f.stages) - 1)
	if err != nil {
		return nil, err
	}
	return &last.image, nil
}

// grammarError turns an error of buildkit's parser into an Error with its line.
func grammarError(name string, err error) error {
	e := &Error{File: name, Msg: besides.ReplaceAllString(list.OneLine(err.Error()), "")}
	e.Msg = strings.Replace(e.Msg, "no build stage in current context", "an instruction before FROM: start with FROM", 1)
	if strings.HasPrefix(e.Msg, "unknown ") { // a flag or an instruction
		e.Msg += ": if docker knows it, it needs Docker"
	}
	if at, ok := errors.AsType[*parser.LocationError](err); ok && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		e.Line = at.Locations[0][0].Start.Line
	}
	return e
}

// besides matches the parts of buildkit's messages that an error here does not need: the line number, and a suggestion,
// which differs from call to call.
var besides = regexp.MustCompile(`^dockerfile parse error on line \d+: | \(did you mean [^)]*\)`)

// reader reads the instructions of one stage into an Image.
type reader struct {
	*file
	line  int
	image Image

	base   *v1.Config // nil if it is not known
	args   []string   // the ARGs of this stage, as NAME=value
	index  int        // number of this stage
	shell  []string   // the shell for the shell form
	hasCmd bool       // whether this stage has a CMD
}

func (r *reader) errorf(format string, args ...any) error {
	return &Error{File: r.name, Line: r.line, Msg: list.OneLine(fmt.Sprintf(format, args...))}
}

// setEnv assigns as Docker does: a name keeps its first place and gets the last value.
func setEnv(list []string, key, value string) []string {
	if i := slices.IndexFunc(list, func(kv string) bool { return strings.HasPrefix(kv, key+"=") }); i >= 0 {
		list[i] = key + "=" + value
		return list
	}
	return append(list, key+"="+value)
}

// absolute resolves a destination against WORKDIR, the file's or the base's. It keeps a trailing slash.
func (r *reader) absolute(p string) (string, error) {
	if !path.IsAbs(p) {
		switch {
		case r.image.WorkingDir != "":
			p = path.Join("/", r.image.WorkingDir) + "/" + p
		case r.base != nil:
			p = path.Join("/", r.base.WorkingDir) + "/" + p
		default:
			return "", r.errorf("%s is relative to the unknown working folder of %s: set WORKDIR first", p, r.image.From)
		}
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}
