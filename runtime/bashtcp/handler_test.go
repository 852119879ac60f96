package bashtcp_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/runtime/conformance"
)

// patience is the time limit of a case. It does not measure speed.
const patience = 30 * time.Second

// TestSharedShell runs handlers that change the shell that they share with the bootstrap, and checks that the
// bootstrap goes on. runtime/conformance tests what every bootstrap must do; this test has what concerns
// bashtcp alone.
func TestSharedShell(t *testing.T) {
	t.Parallel()
	// The body of each event is a number. want has the outcome of each event: the response, or ! and the error's
	// message.
	for name, c := range map[string]struct {
		handler   string
		isolation string
		env       []string
		want      []string
	}{
		"variables stay": {
			handler: "n=5; run() { printf %s $((++n)); }",
			want:    []string{"6", "7", "8"},
		},
		"variables go, subshell": {
			handler: "n=5; run() { printf %s $((++n)); }", isolation: "subshell",
			want: []string{"6", "6", "6"},
		},
		"variables go, process": {
			handler: "n=5; run() { printf %s $((++n)); }", isolation: "process",
			want: []string{"6", "6", "6"},
		},
		"exit ends the event, and variables start from the beginning": {
			handler: "n=0; run() { : $((++n)); [[ $1 != 2 ]] || exit 3; printf %s $n; }",
			want:    []string{"1", "!handler 'handler.run': exit status 3", "1", "2"},
		},
		"exit 0 is a response": {
			handler: "run() { printf %s \"$1\"; exit; }",
			want:    []string{"1", "2", "3"},
		},
		"exit, subshell": {
			handler: "run() { echo out >&2; exit 3; }", isolation: "subshell",
			want: []string{"!out", "!out"},
		},
		"exec, process": {
			handler: "run() { exec cat; }", isolation: "process",
			want: []string{"1", "2"},
		},
		"a handler's EXIT trap runs when it exits": {
			handler: "trap 'printf \" cleaned %s\" $?' EXIT; run() { printf %s \"$1\"; [[ $1 != 2 ]] || exit 0; }",
			want:    []string{"1", "2 cleaned 0", "3"},
		},
		"an EXIT trap set late, with others": {
			handler: "run() { trap -- 'echo cleaned >&2' EXIT INT; [[ $1 != 2 ]] || exit 1; printf %s \"$1\"; }",
			want:    []string{"1", "!cleaned", "3"},
		},
		"an EXIT trap by number, unset again": {
			handler: "run() { trap 'printf wrong' 0; trap - 0; printf %s \"$1\"; exit; }",
			want:    []string{"1", "2"},
		},
		"an EXIT trap of a subshell": {
			handler: "run() { (trap 'printf b' EXIT; printf a); printf c; }",
			want:    []string{"abc", "abc"},
		},
		"ERR, DEBUG and RETURN traps": {
			handler: "set -ET; trap ': d' DEBUG; trap ': r' RETURN; trap 'printf E >&2' ERR; run() { false; printf %s \"$1\"; }",
			want:    []string{"1", "2", "3"},
		},
		"errexit that the file has set": {
			handler: "set -euo pipefail; run() { [[ $1 == 2 ]] && { false | true; }; printf %s \"$1\"; }",
			want:    []string{"1", "!handler 'handler.run': exit status 1", "3"},
		},
		"options": {
			handler: "run() { printf '%s %s' \"$1\" \"${-//[hB]/}\"; set -fuC; }",
			want:    []string{"1 ", "2 fuC", "3 fuC"},
		},
		"allexport exports no event": {
			handler: "set -a; run() { env | grep -Ec '^tw_(body|request|payload|head)='; printf %s \"$1\"; }",
			want:    []string{"0\n1", "0\n2"},
		},
		"xtrace": {
			handler: "run() { set -x; : $1; printf %s \"$1\"; }",
			want:    []string{"1", "2"},
		},
		"shell options": {
			handler: "shopt -s nullglob nocasematch extglob xpg_echo lastpipe; run() { printf %s \"$1\"; }",
			want:    []string{"1", "2", "3"},
		},
		"posix mode": {
			handler: "run() { set -o posix; printf %s \"$1\"; }",
			want:    []string{"1", "2"},
		},
		"IFS": {
			handler: "IFS=,; run() { set -- a b; printf %s \"$*\"; IFS=3; }",
			want:    []string{"a,b", "a3b"},
		},
		"IFS unset": {
			handler: "unset IFS; run() { set -- a b; printf %s \"$*\"; }",
			want:    []string{"a b", "a b"},
		},
		"its own locale": {
			handler: "run() { s=$'\\u00e9'; printf %s \"${#s} ${LC_CTYPE:-none}\"; }", env: []string{"LANG=C.UTF-8"},
			want: []string{"1 none", "1 none"},
		},
		"a locale changed": {
			handler: "run() { s=$'\\303\\251'; printf %s \"${#s}\"; export LC_ALL=C; [[ $1 != 2 ]] || LC_ALL=C.UTF-8; }",
			env:     []string{"LC_ALL=C.UTF-8"},
			want:    []string{"1", "2", "1", "2"},
		},
		"the working directory": {
			handler: "run() { cd /; printf %s \"$1\"; }",
			want:    []string{"1", "2"},
		},
		"the working directory, and then exit": {
			handler: "run() { cd /; printf %s \"$1\"; exit; }",
			want:    []string{"1", "2"},
		},
		"closed descriptors": {
			handler: "run() { printf %s \"$1\"; exec <&- >&- 2>&-; }",
			want:    []string{"1", "2"},
		},
		"redirected descriptors": {
			handler: "run() { printf %s \"$1\"; exec </dev/null >/dev/null 2>&1; echo lost; }",
			want:    []string{"1", "2"},
		},
		"stdin left unread, or read by a child": {
			handler: "run() { [[ $1 != 2 ]] || cat; printf .; }",
			want:    []string{".", "2.", "."},
		},
		"stdin and stdout by name": {
			handler: "run() { printf %s \"$(</dev/stdin)\" >/dev/stdout; }",
			want:    []string{"1", "2"},
		},
		"variables of the loop's usual names": {
			handler: "status=7 line=7 id=7 event=7 out=7; run() { printf %s $((event++)); }",
			want:    []string{"7", "8"},
		},
		"readonly variables and functions named like builtins": {
			handler: "readonly line=1 part=2; read() { :; }; echo() { :; }; printf() { builtin printf \"$@\"; }; run() { printf %s \"$1\"; }",
			want:    []string{"1", "2"},
		},
		"a NUL byte in the response": {
			handler: "run() { [[ $1 != 2 ]] || printf 'a\\0b'; printf %s \"$1\"; }",
			want:    []string{"1", "!the response holds a NUL byte, which Bash cannot pass on: use rawsyscall", "3"},
		},
		"a NUL byte at the end of the response": {
			handler: "run() { printf '1\\0'; }",
			want:    []string{"!the response holds a NUL byte, which Bash cannot pass on: use rawsyscall"},
		},
		"responses around the size of a buffer": {
			handler: "run() { printf '%*s' $((2990 + $1 * 5)) x; }",
			want:    []string{spaces(2994) + "x", spaces(2999) + "x", spaces(3004) + "x", spaces(3009) + "x"},
		},
		"return, break and continue": {
			handler: "run() { break 2>/dev/null; continue 2>/dev/null; printf %s \"$1\"; return; }",
			want:    []string{"1", "2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := make([]conformance.Event, len(c.want))
			for i := range events {
				events[i].Body = string(rune('1' + i))
			}
			got := outcomes(t, c.handler+"\n", append(c.env, "TWINSTART_ISOLATION="+c.isolation), events)
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got %.300q\nwant %.300q", got, c.want)
			}
		})
	}
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// outcomes runs events through the bootstrap, under another program if one is named. It returns each event's
// outcome: the response, or ! and the error's message.
func outcomes(t *testing.T, handler string, env []string, events []conformance.Event, under ...string) []string {
	t.Helper()
	api, err := conformance.Listen(events...)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "handler.sh"), []byte(handler), 0o644); err != nil {
		t.Fatal(err)
	}
	command := slices.Concat(under, []string{filepath.Join(unpacked, "bootstrap")})
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = root
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "AWS_LAMBDA_RUNTIME_API=" + api.Address(), "_HANDLER=handler.run",
		"LAMBDA_TASK_ROOT=" + root, "TMPDIR=" + t.TempDir()}, env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	defer func() { usage.Kill(cmd.Process.Pid); <-ended }()
	select {
	case <-api.Idle():
	case <-ended:
		t.Errorf("the bootstrap ended: %s", log.String())
	case <-time.After(patience):
		t.Errorf("not done within %s", patience)
	}
	var found []string
	for _, r := range api.Requests() {
		switch {
		case strings.HasSuffix(r.Path, "/response"):
			found = append(found, string(r.Body))
		case strings.HasSuffix(r.Path, "/error"):
			var report struct{ ErrorMessage string }
			if err := json.Unmarshal(r.Body, &report); err != nil {
				t.Errorf("error report %q: %v", r.Body, err)
			}
			found = append(found, "!"+report.ErrorMessage)
		}
	}
	return found
}
