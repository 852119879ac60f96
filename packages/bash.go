package packages

import (
	"context"
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// staticBash must be called with the lock held. A Workspace also keeps an error, because it takes seconds to find out
// that there is no toolchain.
func (w *Workspace) staticBash(ctx context.Context, a arm.Architecture) (file, error) {
	out := w.once(ctx, "bash for "+string(a), func() (out output) {
		path, err := staticbash.Build(ctx, a, w.Log)
		out.err = err
		if err == nil {
			out.files = make([]file, 1)
			out.files[0], out.err = describe(path, "bash")
		}
		return out
	})
	if out.err != nil {
		return file{}, out.err
	}
	return out.files[0], nil
}

// Bootstrap is an implementation of a custom runtime: a program that takes events from the Runtime API.
type Bootstrap struct {
	Name string
	Doc  string // a short description for reports and help

	needs  string // a program of the base image, other than Bash, without which the bootstrap cannot run
	recipe recipe
}

// recipe makes one bootstrap.
type recipe interface {
	// prepare returns a key, which identifies everything that determines the output's bytes, and a function that
	// writes the bootstrap's files, with the executable `bootstrap`, into an empty folder. It is called at every
	// synth, so it must be fast.
	prepare(ctx context.Context, w *Workspace, a arm.Architecture) (key string, build func(dir string) error, err error)
}

// bootstraps lists all bootstraps in the order of reports. To add a Go bootstrap, add one line.
var bootstraps = []Bootstrap{
	{Name: "bashcurl", Doc: "pure Bash and curl: the baseline everyone starts from", needs: "curl", recipe: bashcurlScript},
	{Name: "bashtcp", Doc: "pure Bash over /dev/tcp: no curl, no fork per event, no Go", recipe: bashtcpScript},
	{Name: "bashtcp-static", Doc: "the same script, run by a static Bash in the package", recipe: staticScript{bashtcpScript}},
	{Name: "nethttp", Doc: "Go net/http client, bash -c per event: the published design", recipe: goMain("nethttp")},
	{Name: "rawtcp", Doc: "Go net.Dial with its own HTTP/1.1, bash -c per event", recipe: goMain("rawtcp")},
	{Name: "rawtcp-upx", Doc: "the same binary through UPX --best --lzma", recipe: compressed{"rawtcp"}},
	{Name: "rawtcp-padded", Doc: "the same code padded to nethttp's size", recipe: padded{code: "rawtcp", size: "nethttp"}},
	{Name: "lambdago", Doc: "aws-lambda-go's own loop, bash -c per event", recipe: goMain("lambdago")},
	{Name: "rawsyscall", Doc: "Go, system calls only; a Bash worker started during INIT", recipe: goMain("rawsyscall")},
}

// Bootstraps lists every bootstrap in the order of reports.
func Bootstraps() []Bootstrap { return append([]Bootstrap(nil), bootstraps...) }

func find(name string) (Bootstrap, error) {
	names := make([]string, len(bootstraps))
	for i, b := range bootstraps {
		if b.Name == name {
			return b, nil
		}
		names[i] = b.Name
	}
	return Bootstrap{}, fmt.Errorf("unknown bootstrap %q: there are %s", name, strings.Join(names, ", "))
}
