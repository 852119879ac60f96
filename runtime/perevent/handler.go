//go:build linux

package perevent

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// Handler is the handler that _HANDLER names, below the task root.
type Handler struct {
	Name     string // the value of _HANDLER, for messages
	Root     string // LAMBDA_TASK_ROOT, the working directory of every event
	File     string // absolute path of the file to source, or of the executable
	Function string // name of the Bash function; "" for an executable
}

// Resolve finds a handler: "file.function" is a function of Root/file.sh, "file" is the executable Root/file.
// Either may be in a folder below Root. Every byte of the name is checked, because the name becomes a path and a
// function's name. The caller reports an error by POST /init/error. Resolve does not check that the file defines the
// function: see the package comment.
func Resolve(root, name string) (*Handler, *runtimeapi.Error) {
	if name == "" {
		return nil, invalid("no handler: set _HANDLER to file.function, or to the name of an executable")
	}
	path, function, wrong := runtimeapi.Divide(name)
	if wrong != "" {
		return nil, invalid("handler " + strconv.Quote(name) + wrong)
	}
	h := &Handler{Name: name, Root: root, File: strings.TrimRight(root, "/") + "/" + path, Function: function}
	if function != "" {
		h.File += ".sh"
		return h, h.check(accessRead, "Runtime.HandlerNotReadable", "read")
	}
	return h, h.check(accessExec, "Runtime.HandlerNotExecutable", "execute")
}

// Modes of access(2), from <unistd.h>.
const (
	accessRead = 4
	accessExec = 1
)

// check makes sure that the file exists and can be used.
func (h *Handler) check(mode uint32, denied, verb string) *runtimeapi.Error {
	where := "handler " + strconv.Quote(h.Name) + ": " + h.File
	var stat syscall.Stat_t
	if err := syscall.Stat(h.File, &stat); err == syscall.ENOENT || err == syscall.ENOTDIR {
		return &runtimeapi.Error{Type: "Runtime.NoSuchHandler", Message: where + " does not exist"}
	} else if err != nil {
		return &runtimeapi.Error{Type: denied, Message: where + ": " + err.Error()}
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return &runtimeapi.Error{Type: denied, Message: where + " is not a file"}
	}
	if err := syscall.Access(h.File, mode); err != nil {
		return &runtimeapi.Error{Type: denied, Message: "cannot " + verb + " " + where + ": " + err.Error()}
	}
	return nil
}

func invalid(message string) *runtimeapi.Error {
	return &runtimeapi.Error{Type: "Runtime.ConfigInvalid", Message: message}
}

// inherited returns the part of the environment that is the same for every event.
func inherited(environ []string) []string {
	kept := make([]string, 0, len(environ)+10)
	for _, entry := range environ {
		if name, _, _ := strings.Cut(entry, "="); !runtimeapi.Contextual(name) {
			kept = append(kept, entry)
		}
	}
	return append(kept, "HOME=/tmp") // the only writable folder; tools that keep a cache in $HOME need one
}

// environment appends the context of one invocation. If the API sent no value for a variable, it is not set.
func environment(base []string, inv *runtimeapi.Invocation) []string {
	set := func(name, value string) {
		if value != "" {
			base = append(base, name+"="+value)
		}
	}
	for i, field := range runtimeapi.Fields {
		set(field.Variable, inv.Context[i])
	}
	set(runtimeapi.TraceVariable, inv.Context[runtimeapi.TraceID])
	return base
}
