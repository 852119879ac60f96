// Package handler checks whether a bootstrap will find a handler: its file, and the function in it. It does not run the
// handler.
package handler

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// Handler is a handler in the folder that will be packed.
type Handler struct {
	Dir, Name    string
	Architecture arm.Architecture // the architecture that an executable must have
	StaticBash   bool             // whether the static Bash runs the handler
}

// name is a handler's name, split as bootstraps split it at run time.
type name struct {
	file     string // path below the package's root; without .sh for a script
	function string // "" if the file is an executable
}

func parse(text string) (name, error) {
	file, function, wrong := runtimeapi.Divide(text)
	if len(text) > arm.MaxName || wrong != "" {
		return name{}, fmt.Errorf(`handler %q is not a valid name: `+
			`use "file.function" (run() in handler.sh is "handler.run"), or "file" for an executable`, text)
	}
	return name{file, function}, nil
}

// Note is a warning, or something that could not be decided. The CDK's users acknowledge it by its ID.
type Note struct{ ID, Text string }

// Check checks everything that can be known before a build. It returns a note for what it cannot decide.
func (h Handler) Check() ([]Note, error) {
	n, err := parse(h.Name)
	if err != nil {
		return nil, err
	}
	if n.function == "" {
		return nil, h.executable(n)
	}
	return h.script(n)
}

// script looks for the handler's function in its file.
func (h Handler) script(n name) ([]Note, error) {
	path := filepath.Join(h.Dir, n.file+".sh")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("handler %q: there is no %s: create it with a function %s, or correct the handler's name",
			h.Name, path, n.function)
	}
	s, err := readScript(path)
	if err == nil {
		err = checkBash(path)
	}
	if err != nil {
		return nil, fmt.Errorf("handler %q: %w", h.Name, err)
	}
	notes := h.unlike(s)
	switch {
	case slices.Contains(s.functions, n.function):
		return notes, nil
	case s.open:
		return append(notes, Note{"twinstart:handlerNotSeen", fmt.Sprintf(
			"handler %q: %s does not define %s itself, and the files that it sources are not checked",
			h.Name, path, n.function)}), nil
	case len(s.functions) == 0:
		return nil, fmt.Errorf("handler %q: %s defines no function: define %s() in it", h.Name, path, n.function)
	}
	return nil, fmt.Errorf("handler %q: %s has no function %s (it has %s): define it or correct the handler's name",
		h.Name, path, n.function, strings.Join(s.functions, ", "))
}

// unlike returns a note for each thing that a script does differently on Lambda than on an ordinary machine.
func (h Handler) unlike(s script) (notes []Note) {
	if s.substitutes != "" {
		notes = append(notes, Note{"twinstart:processSubstitution", s.substitutes + ": process substitution needs /dev/fd, " +
			"which Lambda does not have: it fails there, in a loop without a message: use a pipe or a here-string " +
			"(https://github.com/aws/aws-lambda-base-images/issues/132)"})
	}
	if s.lacks != "" && h.StaticBash {
		notes = append(notes, Note{"twinstart:builtinMissing", s.lacks +
			" is not in the static Bash: use a loop, or a package on a base (zip, image) with another bootstrap"})
	}
	return notes
}

// executable checks what execve on Lambda would check: that the file exists and may be executed, and that machine
// code is for the function's architecture.
func (h Handler) executable(n name) error {
	path := filepath.Join(h.Dir, n.file)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf(`handler %q: there is no executable %s: create it, or write "file.function"`, h.Name, path)
	case err != nil:
		return fmt.Errorf("handler %q: %w", h.Name, err)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("handler %q: %s is not executable: chmod +x %s", h.Name, path, path)
	}
	program, err := elf.Open(path)
	if err != nil {
		return nil // it is a script, whose first line names the interpreter
	}
	defer program.Close()
	if want := machines[h.Architecture]; program.Machine != want {
		return fmt.Errorf("handler %q: %s is a program for %s and the function is %s: "+
			"build it for that (GOARCH=%s), or choose the other architecture",
			h.Name, path, program.Machine, h.Architecture, h.Architecture.GOARCH())
	}
	return nil
}

var machines = map[arm.Architecture]elf.Machine{arm.ARM64: elf.EM_AARCH64, arm.X8664: elf.EM_X86_64}
