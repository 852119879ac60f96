package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

var input = regexp.MustCompile(`\$\{\{ inputs\.([a-z-]+) \}\}`)

// action runs the shell of the action's steps as GitHub does, in the test's current folder, and returns the summary of
// the job. In place of installing the command it uses this test binary.
func action(t *testing.T, inputs map[string]string) (status int, out, summary string) {
	t.Helper()
	bin, gopath := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "sudo"), "#!/bin/sh\nexec \"$@\"\n")
	write(t, filepath.Join(bin, "go"), `#!/bin/sh
case "$*" in
"env GOPATH") echo "$GOPATH" ;;
"install github.com/twinstart/twinstart/cmd/twinstart@v1.2.3") mkdir -p "$GOPATH/bin" && ln -s "$TWINSTART" "$GOPATH/bin/twinstart" ;;
*) echo "go $*" >&2; exit 9 ;;
esac
`)
	summary = write(t, filepath.Join(t.TempDir(), "summary"), "")
	w := readWorkflow(t, filepath.Join(repository, "action.yml"))
	for _, s := range w.Runs.Steps {
		if s.Run == "" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), need.Tool(t, "bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Env = append(os.Environ(), asCommand+"=1", "TWINSTART="+os.Args[0], "GOPATH="+gopath, "GITHUB_STEP_SUMMARY="+summary, "PATH="+bin+":"+os.Getenv("PATH"))
		for name, value := range s.Env {
			cmd.Env = append(cmd.Env, name+"="+input.ReplaceAllStringFunc(value, func(of string) string {
				key := input.FindStringSubmatch(of)[1]
				if given, ok := inputs[key]; ok {
					return given
				}
				return w.Inputs[key].Default
			}))
		}
		text, err := cmd.CombinedOutput()
		out += string(text)
		if err != nil {
			status = cmd.ProcessState.ExitCode()
			break
		}
	}
	text, err := os.ReadFile(summary)
	ok(t, err)
	return status, out, string(text)
}

// TestAction runs the action on a user's package in an empty folder. The job's summary must have the result even if the
// job fails, and no input may run as a command.
func TestAction(t *testing.T) {
	inEmptyFolder(t)
	zipped(t, "old.zip", "bootstrap", nextLoop)
	zipped(t, "new.zip", "bootstrap", nextLoop+strings.Repeat("# more\n", 2000))
	zipped(t, "$(touch x).zip", "bootstrap", nextLoop)
	for _, test := range []struct {
		name   string
		inputs map[string]string
		status int
		want   string
	}{
		{"without a limit", map[string]string{"package": "$(touch x).zip"}, exitOK, "on AWS as ZIP"},
		{"limit kept", map[string]string{"package": "old.zip", "against": "new.zip"}, exitOK, " (limit initReadKiB>2%): holds"},
		{"no limit", map[string]string{"package": "new.zip", "against": "old.zip", "fail-on": ""}, exitOK, "on AWS as ZIP"},
		{"limit broken", map[string]string{"package": "new.zip", "against": "old.zip", "fail-on": "package>1KiB"}, exitFinding, "failed: new.zip: package"},
		{"no package", map[string]string{"package": "absent.zip"}, exitUsage, "no such file: absent.zip"},
	} {
		test.inputs["version"] = "v1.2.3"
		status, out, summary := action(t, test.inputs)
		if status != test.status || !strings.Contains(summary, test.want) || strings.Count(summary, "```\n") != 2 || !strings.HasSuffix(summary, "```\n") {
			t.Errorf("%s: status %d, want %d and %q: %s\nsummary: %s", test.name, status, test.status, test.want, out, summary)
		}
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("an input was run as a command")
	}
}
