package packages

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// Bootstrap is an implementation of a custom runtime: a program that takes events from the Runtime API.
type Bootstrap struct {
	Name string
	Doc  string // a short description for reports and help

	needs  string // a program of the base image, other than Bash, that the bootstrap runs; "" if there is none
	recipe recipe
}

type recipe interface {
	// prepare returns a key, which identifies everything that determines the output's bytes, and a writer. It is called
	// at every synth, so it must be fast.
	prepare(ctx context.Context, w *Workspace, a arm.Architecture) (key string, write writer, err error)
}

// writer writes a bootstrap's files, with the executable `bootstrap`, into an empty folder.
type writer func(dir string) error

// bootstraps lists all bootstraps in the order of reports. To add a Go bootstrap, add one line.
var bootstraps = []Bootstrap{
	{Name: "bashcurl", Doc: "pure Bash and curl: the baseline everyone starts from", needs: "curl", recipe: curlScript},
	{Name: "bashtcp", Doc: "pure Bash over /dev/tcp: no curl, no fork per event, no Go", recipe: tcpScript},
	{Name: "bashtcp-static", Doc: "the same script, run by a static Bash in the package", recipe: ownBash{tcpScript}},
	{Name: "nethttp", Doc: "Go net/http client, bash -c per event: the published design", recipe: goMain("nethttp")},
	{Name: "rawtcp", Doc: "Go net.Dial with its own HTTP/1.1, bash -c per event", recipe: goMain("rawtcp")},
	{Name: "rawtcp-upx", Doc: "the same binary through UPX --best --lzma", recipe: compressed{"rawtcp"}},
	{Name: "rawtcp-padded", Doc: "rawtcp with unread padding up to nethttp's size", recipe: padded{"rawtcp", "nethttp"}},
	{Name: "lambdago", Doc: "aws-lambda-go's own loop, bash -c per event", recipe: goMain("lambdago")},
	{Name: "rawsyscall", Doc: "Go, system calls only; a Bash worker started during INIT", recipe: goMain("rawsyscall")},
}

// Bootstraps lists every bootstrap in the order of reports.
func Bootstraps() []Bootstrap { return append([]Bootstrap(nil), bootstraps...) }

func find(name string) (Bootstrap, error) {
	for _, b := range bootstraps {
		if b.Name == name {
			return b, nil
		}
	}
	names := list.Map(bootstraps, func(b Bootstrap) string { return b.Name })
	return Bootstrap{}, fmt.Errorf("unknown bootstrap %q: there are %s", name, strings.Join(names, ", "))
}

// prebuilt returns a Go bootstrap that came with the command, and whether there is one.
func (w *Workspace) prebuilt(name string, a arm.Architecture) (output, bool) {
	b, _ := find(name)
	if _, compiled := b.recipe.(goMain); !compiled || w.Prebuilt == "" {
		return output{}, false
	}
	dir := filepath.Join(w.Prebuilt, name, string(a))
	f, err := describe(filepath.Join(dir, "bootstrap"), "bootstrap")
	return output{dir: dir, key: "prebuilt " + f.Sum, files: []file{f}}, err == nil
}

// UnavailableError says that something cannot be built on this machine.
type UnavailableError = staticbash.UnavailableError

// ImpossibleError says that an arm cannot exist on any machine.
type ImpossibleError struct {
	Arm string // arm.ID
	Why string
}

func (e *ImpossibleError) Error() string { return fmt.Sprintf("%s cannot exist: %s", e.Arm, e.Why) }

// about adds the bootstrap's name to an error of a recipe, unless the error already names it.
func about(name string, err error) error {
	if _, ok := errors.AsType[*UnavailableError](err); ok {
		return err
	}
	return fmt.Errorf("building %s: %w", name, err)
}
