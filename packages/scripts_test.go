package packages

import (
	"os/exec"
	"strings"
	"testing"
)

// Bash itself checks that both scripts are the same: it prints a function as it has parsed it.
func TestBareScriptsAreTheSame(t *testing.T) {
	for _, s := range []script{curlScript, tcpScript} {
		for name, text := range s {
			short := bare(text)
			if len(short) >= len(text) || strings.HasPrefix(text, "#!") != strings.HasPrefix(short, "#!") {
				t.Errorf("%s: %d bytes of %d, starting %.10q", name, len(short), len(text), short)
			}
			if want, got := understood(t, text), understood(t, short); got != want {
				t.Errorf("%s is not the same script without its comments and indentation: want\n%s\ngot\n%s", name, want, got)
			}
		}
	}
}

func understood(t *testing.T, text string) string {
	t.Helper()
	bash := exec.Command("bash", "-O", "extglob")
	bash.Stdin = strings.NewReader("whole() {\n" + text + "\n}\ndeclare -f whole\n")
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
