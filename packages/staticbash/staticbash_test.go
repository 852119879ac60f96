package staticbash

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/tools/need"
)

// maxSize is the largest size in bytes that a static Bash may have.
const maxSize = 750_000

var hostArchitecture = map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]

// built returns the user's cached Bash, and builds it if it is missing. If it cannot be built here, the error must
// say what to do.
func built(t *testing.T, a arm.Architecture) string {
	t.Helper()
	need.Time(t)
	path, err := (&Builder{Log: testLog{t}}).Build(context.Background(), a)
	var unavailable *UnavailableError
	if errors.As(err, &unavailable) {
		if unavailable.Why == "" || unavailable.Remedy == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q lacks a reason or a remedy, or has several lines", err)
		}
		need.No(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

func TestIsSmallAndStatic(t *testing.T) {
	for a, want := range map[arm.Architecture]elf.Machine{arm.ARM64: elf.EM_AARCH64, arm.X8664: elf.EM_X86_64} {
		path := built(t, a)
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != want {
			t.Errorf("%s: built for %v", a, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s: it needs a dynamic linker", a)
			}
		}
		f.Close()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > maxSize {
			t.Errorf("%s: %d bytes, more than %d", a, len(data), maxSize)
		}
		for _, leak := range []string{filepath.Dir(filepath.Dir(filepath.Dir(path))), "/source/", os.TempDir() + "/"} {
			if bytes.Contains(data, []byte(leak)) {
				t.Errorf("%s: the builder's path %s is in the binary", a, leak)
			}
		}
	}
}

// checks are what handlers and bootstraps rely on: a name, a script and its output.
var checks = []struct{ name, script, want string }{
	{"version", `echo ${BASH_VERSINFO[@]:0:3}`, "5 2 15"},
	{"array", `a=(1 "2 3"); a+=(4); echo ${#a[@]} "${a[1]}"`, "3 2 3"},
	{"associative array", `declare -A m=([x]=1 [y]=2); m[z]=3; echo ${#m[@]} ${m[z]}`, "3 3"},
	{"regular expression", `[[ 2026-11-21 =~ ^([0-9]+)-([0-9]+) ]] && echo ${BASH_REMATCH[2]}`, "11"},
	{"bytes", `LC_ALL=C; IFS= read -r -N 3 x <<<"abcdef"; echo $x`, "abc"},
	{"byte length", `LC_ALL=C; x=$'\xc3\xa9'; echo ${#x}`, "2"},
	{"UTF-8 length", `LC_ALL=C.UTF-8; x=$'\xc3\xa9\xf0\x9f\x98\x80'; echo ${#x}`, "2"},
	{"UTF-8 escape", `LC_ALL=C.UTF-8; printf '\u00e9' | { LC_ALL=C; read -r x; echo ${#x}; }`, "2"},
	{"UTF-8 case", `LC_ALL=C.UTF-8; x=$'\xc3\x84'; [[ ${x,} == $'\xc3\xa4' ]] && echo lower`, "lower"},
	{"any byte", `LC_ALL=C; printf -v x '\xff\x01'; printf '%s' "$x" | { IFS= read -r -d '' y; echo ${#y}; }`, "2"},
	{"time", `TZ=UTC0 printf '%(%Y-%m-%d)T\n' 86400`, "1970-01-02"},
	{"now", `(( EPOCHSECONDS > 1700000000 && ${EPOCHREALTIME%[.,]*} > 1700000000 )) && echo yes`, "yes"},
	{"float", `printf '%.2f\n' 3.14159`, "3.14"},
	{"arithmetic", `echo $(( 2**62 + 0x10 ))`, "4611686018427387920"},
	{"quoting", `x="it's"; echo ${x@Q}`, `'it'\''s'`},
	{"status of a subshell", `(exit 7); echo $?`, "7"},
	{"status of a process", `x=$(exit 9); echo $?`, "9"},
	{"status by signal", `exec 2>/dev/null; (kill -9 $BASHPID); echo $?`, "137"},
	{"process substitution", `while read -r l; do echo "got $l"; done < <(echo a)`, "got a"},
	{"coprocess", `coproc { read -r x; echo "$x!"; }; echo hi >&${COPROC[1]}; read -r y <&${COPROC[0]}; echo $y`, "hi!"},
	{"pipe", `echo a | { read -r x; echo "$x$x"; }`, "aa"},
	{"pipefail", `set -o pipefail; false | true; echo $?`, "1"},
	{"pipefail, from the right", `set -o pipefail; (exit 3) | (exit 4) | true; echo $?`, "4"},
	{"pipefail and errexit", `(set -eo pipefail; false | true; echo on); echo $?`, "1"},
	{"PIPESTATUS", `true | (exit 3) | false; echo ${PIPESTATUS[@]}`, "0 3 1"},
	{"PIPESTATUS by signal", `exec 2>/dev/null; (kill -9 $BASHPID) | true; echo ${PIPESTATUS[@]}`, "137 0"},
	{"PIPESTATUS with lastpipe", `shopt -s lastpipe; (exit 5) | read -r x; echo ${PIPESTATUS[@]}`, "5 1"},
	{"inverted pipeline", `set -o pipefail; ! false | true; echo $? ${PIPESTATUS[@]}`, "0 1 0"},
	{"wait", `(exit 3) & wait $!; echo $?`, "3"},
	{"wait for a pipeline", `set -o pipefail; (exit 6) | true & wait $!; echo $?`, "6"},
	// The job ends once the shell sleeps in wait -n, because Bash can overlook a job that ends earlier (runtime/benchmarks/README.md).
	{"wait for the next", `coproc { read -r; }
		(until read -r _ _ state _ </proc/$$/stat && [[ $state == S ]]; do :; done; exit 3) & wait -n; echo $?`, "3"},
	{"status of an early child", `(exit 8) & p=$!; for i in {1..9}; do (:); done; wait $p; echo $?`, "8"},
	{"background children are reaped", `: & for ((i = 0; i < 1000; i++)); do (:); kill -0 $! 2>/dev/null || { echo gone; break; }; done`, "gone"},
	{"no job control in scripts", `[[ $- != *m* ]]; echo $?; (exit 1) & wait $!; jobs; echo done`, "0\ndone"},
	{"trap of children", `trap 'echo child' CHLD; x=$(exit 2); (exit 1) & wait $!; echo $?`, "child\nchild\n1"},
	{"trap", `trap 'echo caught' TERM; kill -TERM $$`, "caught"},
	{"timeout", `coproc { read -r; }; read -r -t 0.05 x <&${COPROC[0]}; echo $(( $? > 128 ))`, "1"},
	{"mapfile", `mapfile -t l <<<$'1\n2'; echo ${#l[@]}`, "2"},
	{"here-document", "read -r x <<E\nhello $((1+1))\nE\necho $x", "hello 2"},
	{"glob", `shopt -s extglob; [[ handler.sh == @(handler|main).sh ]] && echo yes`, "yes"},
	{"indirection", `f() { local -n r=$1; r=set; }; f v; echo $v`, "set"},
}

func TestDoesWhatScriptsNeed(t *testing.T) {
	forEach(t, func(t *testing.T, argv []string) {
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if got := runBash(t, argv, c.script); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
			})
		}
		t.Run("tcp", func(t *testing.T) {
			t.Parallel()
			address := serveOnce(t, func(conn net.Conn) {
				line := make([]byte, 5)
				if n, err := conn.Read(line); err == nil {
					conn.Write(line[:n])
				}
			})
			host, port, _ := net.SplitHostPort(address)
			if got := runBash(t, argv, "exec {c}<>/dev/tcp/"+host+"/"+port+`; echo ping >&$c; read -r x <&$c; echo $x`); got != "ping" {
				t.Errorf("%q, want ping", got)
			}
		})
	})
}

// forEach runs a test with the Bash of each architecture, under QEMU if it is not this machine's.
func forEach(t *testing.T, test func(t *testing.T, argv []string)) {
	for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
		t.Run(string(a), func(t *testing.T) {
			argv := []string{built(t, a)}
			if a != hostArchitecture || runtime.GOOS != "linux" {
				argv = append([]string{need.Tool(t, "qemu-"+machine(a)+"-static", "qemu-"+machine(a))}, argv...)
			}
			test(t, argv)
		})
	}
}

func runBash(t *testing.T, argv []string, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:len(argv):len(argv)], "--norc", "--noprofile", "-c", script)...)
	cmd.Env = []string{"PATH=/nonexistent"} // builtins only
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// serveOnce listens and serves the first connection.
func serveOnce(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}()
	return listener.Addr().String()
}

var twice = flag.Bool("twice", false, "build the static Bash again and compare (make reproducible)")

// A second build, in a new cache that has only the downloads, must be equal to the first byte for byte. It takes a
// minute on two cores, so only make reproducible runs this test, and only for the host's architecture.
func TestTwiceTheSameBytes(t *testing.T) {
	if !*twice {
		t.Skip("make reproducible builds it twice")
	}
	first := built(t, hostArchitecture)
	b := &Builder{Cache: t.TempDir(), Log: testLog{t}}
	user, err := (&Builder{}).cache()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zig-" + zigVersion, "source"} {
		if err := os.Symlink(filepath.Join(user, name), filepath.Join(b.Cache, name)); err != nil {
			t.Fatal(err)
		}
	}
	second, err := b.Build(context.Background(), hostArchitecture)
	if err != nil {
		t.Fatal(err)
	}
	x, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s (%d bytes) and %s (%d bytes) differ", first, len(x), second, len(y))
	}
}
