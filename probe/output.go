package probe

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/twinstart/twinstart/arm/list"
)

// oneLine returns the first 300 characters of a text on one line.
func oneLine(text []byte) string {
	return fmt.Sprintf("%.300s", list.OneLine(string(text)))
}

// tail keeps the last 16 KiB of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const keep = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-keep):]
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

// signs are patterns of what programs write, in any case, if they need more than a probe gives them.
var signs = []struct{ pattern, needs string }{
	{"unable to locate credentials|NoCredentialProviders|failed to (refresh cached|retrieve) credentials|" +
		"get (identity|credentials)|CredentialsNotLoaded|no valid credential|InvalidClientTokenId|" +
		"UnrecognizedClientException|AWS_ACCESS_KEY_ID",
		"it needs AWS credentials in INIT, and a probe has none: set variables with --env, " +
			"or move the call into the handler"},
	{"no such host|could not resolve|name or service not known|temporary failure in name resolution|" +
		"network is unreachable|connection refused|no route to host|i/o timeout|connection timed out|dns error",
		"it needs the network in INIT, and what it wants to reach is not here: point it elsewhere with --env, " +
			"or move the call into the handler"},
	{"version .GLIBC_[0-9.]+. not found", "it needs a newer C library than this base has"},
	{"error while loading shared libraries|cannot open shared object",
		"it needs a library that neither the package nor this base has"},
	{"exec format error", "it starts a program of another architecture: install qemu-user-static with binfmt-support"},
}

// needs returns what a program missed, if its output shows that.
func needs(output string) string {
	for _, s := range signs {
		if regexp.MustCompile("(?i)" + s.pattern).MatchString(output) {
			return "; " + s.needs
		}
	}
	return ""
}
