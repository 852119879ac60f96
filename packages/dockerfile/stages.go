package dockerfile

import (
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// line returns where an instruction begins.
func line(where []parser.Range) int { return where[0].Start.Line }

// file is a Dockerfile, split into stages.
type file struct {
	name    string
	lex     *shell.Lex
	options Options
	global  []string // the ARGs before the first FROM, as NAME=value
	stages  []stage
}

// stage is the part from one FROM to the next.
type stage struct {
	instructions.Stage
	done *reader // nil until the stage is read
}

// read reads a stage once, and the stages that it needs. A stage can need only earlier ones.
func (f *file) read(index int) (*reader, error) {
	s := &f.stages[index]
	if s.done != nil {
		return s.done, nil
	}
	r := &reader{file: f, index: index}
	r.line = line(s.Location)
	if err := r.from(&s.Stage); err != nil {
		return nil, err
	}
	for _, c := range s.Commands {
		r.line = line(c.Location())
		if err := r.instruction(c); err != nil {
			return nil, err
		}
	}
	s.done = r
	return r, nil
}

// earlier returns the index of a stage by name or number, if it is before the stage than. Otherwise it returns -1.
func (f *file) earlier(name string, than int) int {
	for i, s := range slices.Backward(f.stages[:than]) {
		if s.Name != "" && strings.EqualFold(s.Name, name) {
			return i
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < than {
		return i
	}
	return -1
}

// plain reports whether a stage adds nothing to its base.
func (i *Image) plain() bool {
	return i.From != Scratch && i.Platform == "" && len(i.Copies) == 0
}

func (r *reader) from(said *instructions.Stage) (err error) {
	vars := slices.Concat(r.platformArgs(), r.global)
	from, err := r.expandBy(said.BaseName, vars, false)
	if err != nil {
		return err
	}
	if from == "" || strings.ContainsAny(from, " \t") {
		return r.errorf("FROM %s does not name an image: set the argument or a default (ARG NAME=VALUE)", said.BaseName)
	}
	if r.image.Platform, err = r.expandBy(said.Platform, vars, false); err != nil {
		return err
	}
	r.image.From, r.shell = from, []string{"/bin/sh", "-c"}
	if _, err := strconv.Atoi(from); err != nil {
		if at := r.earlier(from, r.index); at >= 0 {
			return r.on(at)
		}
	}
	switch {
	case r.options.Base != nil:
		if r.base, err = r.options.Base(from, r.image.Platform); err != nil {
			return err
		}
		r.image.Config = *r.base.DeepCopy()
	case from == Scratch:
		r.base = &v1.Config{}
	default:
		r.base = knownBase(from)
	}
	if r.base != nil && r.base.Shell != nil {
		r.shell = r.base.Shell
	}
	return nil
}

// on continues with the files, settings and arguments of an earlier stage.
func (r *reader) on(at int) error {
	parent, err := r.read(at)
	if err != nil {
		return err
	}
	r.base, r.shell, r.args, r.image = parent.base, parent.shell, slices.Clone(parent.args), parent.image
	i, config := &r.image, r.image.Config
	i.Config, i.Copies = *config.DeepCopy(), slices.Clip(i.Copies)
	return nil
}
