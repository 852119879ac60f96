//go:build linux

package conformance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// idiom is something that people write in handlers. The right answer is what plain Bash does on the same root when
// it sources the file and calls run once per event. If run starts with "file:", the rest is the whole file.
type idiom struct {
	name, run string
	env       []string
	// differs names the different outcome of a bootstrap ("bashtcp"), of a bootstrap with an isolation
	// ("bashtcp/worker"), or in a package ("image-minimal", "image-minimal/bashtcp/worker"). The outcome is a
	// response, or "!" followed by a part of the error. docs/handler-contract.md lists each of them.
	differs map[string]string
}

const idiomEvent = `{"name":"Zoë","list":[1,2,3]}`

// in gives several places the same outcome.
func in(where, outcome string) map[string]string {
	m := map[string]string{}
	for _, w := range strings.Fields(where) {
		m[w] = outcome
	}
	return m
}

func merge(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for name, outcome := range m {
			all[name] = outcome
		}
	}
	return all
}

const forks = "bashtcp/worker bashtcp/subshell bashtcp-static/worker bashtcp-static/subshell"

// racing is for idioms that start a program and go on. image-minimal does not have the program, and even with plain
// Bash it varies whether the start fails before or after the handler's next command.
var racing = map[string]string{string(arm.ImageMinimal): "any"}

var idioms = []idiom{
	{name: "the argument", run: `printf %s "$1"`},
	{name: "stdin by a program", run: `cat`},
	{name: "stdin by read", run: `local l; IFS= read -r l; printf %s "$l"`},
	{name: "stdin by mapfile", run: `local a; mapfile -t a; printf '%s|' "${a[@]}"`},
	{name: "stdin in a loop", run: `local c n=0; while IFS= read -r -n 1 c; do n=$((n + 1)); done; printf %d "$n"`},
	{name: "a here-document", run: "cat <<END\n[$1]\nEND"},
	{name: "a here-string", run: `tr a-z A-Z <<<"$1"`},
	{name: "a command's output", run: `local x; x=$(printf '%s' "$1" | wc -c); printf %d "$x"`},
	{name: "process substitution, read", run: `local n=0 l; while IFS= read -r l; do n=$((n + 1)); done < <(printf 'a\nb\n'); printf %d $n`},
	{name: "a coprocess", run: `local l; coproc tr a-z A-Z; printf 'abc\n' >&"${COPROC[1]}"; exec {COPROC[1]}>&-; read -r l <&"${COPROC[0]}"; wait; printf %s "$l"`, differs: racing},
	{name: "pipefail", run: `set -o pipefail; false | true; printf %d $?`},
	{name: "PIPESTATUS", run: `true | false | true; printf %s "${PIPESTATUS[*]}"`},
	{name: "lastpipe", run: `shopt -s lastpipe; local x; printf abc | read -r x; printf %s "$x"`},
	{name: "a trap on EXIT of a subshell", run: `(trap 'printf bye' EXIT; printf hello,)`},
	{name: "a trap on ERR", run: `trap 'printf "E%d " $?' ERR; (exit 3); trap - ERR; printf ok`},
	{name: "a trap on RETURN", run: `f() { trap 'printf left' RETURN; printf 'in,'; }; f; trap - RETURN`, differs: in(forks, "leftin,leftleft")},
	{name: "errexit", run: `set -e; echo doomed >&2; false; printf no`},
	{name: "errexit, in a condition", run: `set -e; if false; then :; fi; false || true; printf ok; set +e`},
	{name: "nounset", run: `set -u; printf %s "$nothing"`},
	{name: "return with a status", run: `echo "it broke" >&2; return 3`},
	{name: "exit with a status", run: `echo leaving >&2; exit 4`},
	{name: "a message that is not ASCII", run: `echo "größer ✓ Ångström" >&2; return 1`},
	{name: "a fatal error from a substitution", run: "file:trap 'exit 1' USR1\nself=$$\nfatal() { echo \"fatal: $*\" >&2; kill -USR1 \"$self\"; }\n" +
		`run() { local field; field=$(fatal "no such field"); printf '{"field": "%s"}' "$field"; }`,
		differs: map[string]string{"bashcurl": "ends"}},
	{name: "a signal to itself, which is trapped", run: `trap 'printf caught' USR2; kill -USR2 $$; printf ,done; trap - USR2`, differs: merge(in("bashcurl", "ends"), in("rawsyscall/subshell bashtcp/subshell bashtcp-static/subshell", "any"))},
	{name: "a signal to itself, by name", run: `trap 'printf hup' HUP; kill -s HUP -- $$; trap - HUP`, differs: merge(in("bashcurl", "ends"), in("rawsyscall/subshell bashtcp/subshell bashtcp-static/subshell", "any"))},
	{name: "a signal to itself that ends it", run: `kill -TERM $$; sleep 1; printf late`, differs: map[string]string{"bashcurl": "ends"}},
	{name: "SIGKILL to itself", run: `kill -9 $$; printf late`, differs: map[string]string{"bashcurl": "ends"}},
	{name: "SIGKILL to itself from a subshell of a function", run: `die() { (kill -KILL $$); }; die; printf late`, differs: map[string]string{"bashcurl": "ends"}},
	{name: "SIGTERM to the shell by a program", run: `sh -c "kill -TERM $$"; sleep 1; printf late`, differs: map[string]string{"bashcurl": "ends"}},
	{name: "SIGUSR1 to the parent by a program", run: `trap 'printf caught' USR1; sh -c 'kill -USR1 $PPID'; trap - USR1`},
	{name: "the shell's own process, or a subshell", run: `[[ $BASHPID == "$$" ]] && printf own || printf sub`, differs: in(forks+" rawsyscall/subshell bashcurl", "sub")},
	{name: "sourcing what lies beside it", run: "file:for file in \"$LAMBDA_TASK_ROOT\"/*.sh; do [[ $file == */handler.sh ]] || . \"$file\"; done\nrun() { printf ok; }"},
	{name: "sourcing whatever lies beside it", run: "file:shopt -s dotglob\nfor file in \"$LAMBDA_TASK_ROOT\"/*; do [[ $file == */handler.sh || ! -f $file || $(head -c 2 \"$file\") != '#'* ]] || . \"$file\"; done\nrun() { printf ok; }"},
	{name: "emptying /tmp", run: `find "$TMPDIR" -mindepth 1 -maxdepth 1 -exec rm -rf {} \; ; printf clean`, differs: in("bashcurl", "")},
	{name: "another TMPDIR, which goes away", run: `local d; d=$(mktemp -d) && TMPDIR=$d; rmdir "$d"; printf ok`},
	{name: "a temporary file", run: `local f; f=$(mktemp); printf %s "$1" >"$f"; cat "$f"; rm "$f"`},
	{name: "a working folder", run: `local d; d=$(mktemp -d); (cd "$d" && printf x >a && ls); rm -r "$d"`},
	{name: "POSIX mode by its variable", run: `POSIXLY_CORRECT=1; printf %s "$1"; unset POSIXLY_CORRECT`},
	{name: "POSIX mode from the environment", run: `shopt -qo posix && printf posix`, env: []string{"POSIXLY_CORRECT=1"}},
	{name: "what an older Bash does", run: `BASH_COMPAT=4.2; printf %s "${1//Z/'z'}"; BASH_COMPAT=`},
	{name: "what an older Bash does, from the environment", run: `printf '%s %s' "$BASH_COMPAT" "${1//Z/'z'}"`, env: []string{"BASH_COMPAT=4.2"}},
	{name: "here-strings of an older Bash", run: `local l; BASH_COMPAT=5.0; read -r l <<<"$1"; BASH_COMPAT=; printf %s "$l"`, env: []string{"BASH_COMPAT=5.0"}},
	{name: "BASH_ENV", run: `greet`, env: []string{"BASH_ENV=/proc/self/cwd/env"}},
	{name: "options from the environment", run: `[[ -o nounset && -o noclobber ]] && printf both`, env: []string{"SHELLOPTS=nounset:noclobber"}, differs: in("bashcurl", "any")},
	{name: "IFS", run: `local IFS=,; set -- a b c; printf %s "$*"`},
	{name: "IFS for good", run: `IFS=:; set -- a b; printf %s "$*"; IFS=$' \t\n'`},
	{name: "patterns", run: "file:shopt -s nullglob extglob\nrun() { local f=(\"$LAMBDA_TASK_ROOT\"/no.such* \"$LAMBDA_TASK_ROOT\"/handler.@(sh|bash)); printf %d ${#f[@]}; }"},
	{name: "GLOBIGNORE", run: `GLOBIGNORE='o*'; local f=(e* o*); unset GLOBIGNORE; printf %s "${f[*]}"`},
	{name: "nocasematch", run: `shopt -s nocasematch; [[ ABC == abc ]] && printf same; shopt -u nocasematch`},
	{name: "the length of a name, as Lambda sets the locale", run: `local name='Zoë Ångström'; printf '%s %d %s' "${name:0:3}" "${#name}" "${name^^}"`, env: []string{"LC_ALL=", "LANG=en_US.UTF-8"}},
	{name: "the length of a name, in C.UTF-8", run: `local name='Zoë Ångström'; printf '%s %d %s' "${name:0:3}" "${#name}" "${name^^}"`},
	{name: "the length of a name, in C", run: `local LC_ALL=C name='Zoë'; printf %d ${#name}`},
	{name: "few descriptors", run: `(ulimit -n 64; printf %d "$(ulimit -n)")`},
	{name: "few descriptors for good", run: `ulimit -S -n 64; printf %d "$(ulimit -n)"`, differs: in("bashtcp/worker bashtcp-static/worker", "any")},
	{name: "umask", run: `umask 077; local f; f=$(mktemp); stat -c %a "$f"; rm "$f"`},
	{name: "compgen -G", run: `compgen -G "$LAMBDA_TASK_ROOT/*.sh" >/dev/null && printf found || printf none`, differs: map[string]string{"bashtcp-static": "none"}},
	{name: "an associative array", run: `local -A a=([x]=1 [y]=2); printf '%s%s' "${a[x]}" "${a[y]}"`},
	{name: "a nameref", run: `local v=1; local -n r=v; r=2; printf %d $v`},
	{name: "a regular expression", run: `[[ $1 =~ \"name\":\"([^\"]+)\" ]] && printf %s "${BASH_REMATCH[1]}"`},
	{name: "arithmetic", run: `local i s=0; for ((i = 1; i <= 10; i++)); do ((s += i)); done; printf %d $s`},
	{name: "printf %q and -v", run: `local x; printf -v x '%q' "a b'c"; printf %s "$x"`},
	{name: "getopts", run: `local o; set -- -a -b val; local OPTIND=1; while getopts ab: o; do printf '%s%s,' "$o" "${OPTARG-}"; done`},
	{name: "a file on a descriptor", run: `local f l; f=$(mktemp); exec 3>"$f"; printf 'x\n' >&3; exec 3>&-; exec 4<"$f"; read -r l <&4; exec 4<&-; rm "$f"; printf %s "$l"`},
	{name: "stdout away and back", run: `exec 3>&1 >/dev/null; echo lost; exec >&3 3>&-; printf back`},
	{name: "jobs and wait", run: `(exit 3) & wait $!; printf %d $?`},
	{name: "wait -n", run: `sleep 0 & wait -n; printf %d $?`},
	// The job is killed after it has said that it runs, because Bash may lose an earlier signal: see package bashtcp.
	{name: "kill a job", run: `local l; coproc { echo; exec sleep 100; }; read -r l <&"${COPROC[0]}"; kill $!; wait $! 2>/dev/null; printf %d $?`, differs: racing},
	{name: "a program with a time limit", run: `timeout 0.1 sleep 5; printf %d $?`},
	{name: "eval and an alias", run: `shopt -s expand_aliases; alias hi='printf hello'; eval hi; unalias hi`},
	{name: "set -- and shift", run: `set -- a b c; shift 2; printf %s "$*"`},
	{name: "what a function is called", run: `printf '%s %s' "${FUNCNAME[0]}" "$(type -t run)"`},
	{name: "stderr by its name", run: `echo noted >/dev/stderr; printf ok`},
	{name: "sed, awk, sort", run: `printf 'b\na\n' | sort | sed s/a/A/ | awk '{printf "%s;", $1}'`},
	{name: "a program's environment", run: `X=1 env | grep -c '^X='`},
	{name: "readonly", run: `local -r a=1; (a=2) 2>/dev/null; printf %d $a`},
	{name: "unset of a function", run: `f() { printf no; }; unset -f f; f 2>/dev/null || printf gone`},
}

// file returns the text of the handler's file.
func (i idiom) file() string {
	if text, whole := strings.CutPrefix(i.run, "file:"); whole {
		return text + "\n"
	}
	return "run() {\n" + i.run + "\n}\n"
}

// answer is the outcome of an event: the response, or "!" and the message if the event failed.
type answer string

// plain returns the answer of the root's own Bash.
func (i idiom) plain(t *testing.T, chroot string) answer {
	t.Helper()
	root, tmp := folders(t, chroot)
	for name, content := range i.files() {
		write(t, filepath.Join(root, name), content)
	}
	inside := strings.TrimPrefix(root, chroot)
	cmd := exec.CommandContext(t.Context(), "/bin/bash", "-c", `. "$1" >&2 && run "$2"`, "/bin/bash", inside+"/handler.sh", idiomEvent)
	cmd.Dir, cmd.Stdin = inside, strings.NewReader(idiomEvent)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: chroot, Credential: user(t, root, tmp)}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=" + inside, "HOME=/tmp", "TMPDIR=" + strings.TrimPrefix(tmp, chroot), "LC_ALL=C.UTF-8"}
	if chroot != "" {
		cmd.Env = append(cmd.Env, minimalEnv...)
	}
	cmd.Env = append(cmd.Env, i.env...)
	cmd.WaitDelay = time.Second
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return answer("!" + strings.TrimSpace(log.String()))
	}
	return answer(out.String())
}

// files returns the files of the task root.
func (i idiom) files() map[string]string {
	return map[string]string{"handler.sh": i.file(), "other.sh": "other() { :; }\n", "env": "greet() { printf hello; }\n"}
}

// agrees compares an answer with the wanted one. Of an error it compares only the last line, without the place that
// Bash puts before the message.
func (a answer) agrees(want answer) bool {
	if !strings.HasPrefix(string(want), "!") {
		return a == want
	}
	last := string(want)[strings.LastIndexAny(string(want), "!\n")+1:]
	if _, message, found := strings.Cut(last, ": line "); found {
		last = message[strings.IndexByte(message, ' ')+1:]
	}
	return strings.HasPrefix(string(a), "!") && strings.Contains(string(a), last)
}

// answers runs an idiom for two events and returns their outcomes.
func (i idiom) answers(t *testing.T, c column) (list []answer, o *outcome) {
	t.Helper()
	argv, root := c.command(t)
	s := scenario{
		files:  i.files(),
		env:    append([]string{"TWINSTART_ISOLATION=" + c.isolation}, i.env...),
		events: events(idiomEvent, idiomEvent),
		chroot: root,
	}
	if root != "" {
		s.env = append(slices.Clone(minimalEnv), s.env...)
	}
	program := filepath.Join(root, argv[len(argv)-1])
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(program), ".twinstart-*"))
	for _, path := range append(beside, program) { // the other Bash files of the package
		if text, err := os.ReadFile(path); err == nil && bytes.HasPrefix(text, []byte("#")) || strings.HasPrefix(filepath.Base(path), ".") {
			s.files[filepath.Base(path)] = string(text)
		}
	}
	o = s.run(t, argv, patience)
	for n := range 2 {
		path := fmt.Sprintf("/invocation/id-%d/", n+1)
		if r := o.find(path + "response"); len(r) == 1 {
			list = append(list, answer(r[0].Body))
		} else if r := o.find(path + "error"); len(r) == 1 {
			decoded, _ := r[0].report()
			list = append(list, answer("!"+decoded.ErrorMessage))
		}
	}
	return list, o
}

// TestIdioms checks that every bootstrap with every isolation does what plain Bash does. It prints a table: "." is
// the same answer, "d" a difference that docs/handler-contract.md names, "F" a failure.
func TestIdioms(t *testing.T) {
	if len(idioms) < 60 {
		t.Errorf("%d idioms", len(idioms))
	}
	var mu sync.Mutex
	table := map[string]map[string]string{}
	columns := columns(false)
	t.Run("all", func(t *testing.T) {
		for _, i := range idioms {
			plain := sync.OnceValue(func() answer { return i.plain(t, "") })
			plainMinimal := sync.OnceValue(func() answer { return i.plain(t, minimalRoot(t, "bashtcp", "")) })
			for _, c := range columns {
				want := plain
				if c.minimal {
					want = plainMinimal
				}
				t.Run(c.String()+"/"+i.name, func(t *testing.T) {
					t.Parallel()
					got, o := i.answers(t, c)
					differs, named := c.outcome(i.differs)
					cell := "."
					for n := range 2 {
						switch {
						case named && differs == "ends":
							cell = "d"
							if !o.exited {
								t.Errorf("now goes on: take it off the list\n%s", o)
							}
						case named && differs == "any":
							cell = "d"
							if len(got) != 2 {
								t.Errorf("%d answers\n%s", len(got), o)
							}
						case n >= len(got):
							cell = "F"
							t.Errorf("event %d has no answer, want %q\n%s", n+1, want(), o)
						case named && !got[n].agrees(answer(differs)), !named && !got[n].agrees(want()):
							cell = "F"
							t.Errorf("event %d: %q, want %q\n%s", n+1, got[n], map[bool]answer{true: answer(differs), false: want()}[named], o)
						case named:
							cell = "d"
						}
					}
					mu.Lock()
					defer mu.Unlock()
					if table[i.name] == nil {
						table[i.name] = map[string]string{}
					}
					table[i.name][c.String()] = cell
				})
			}
		}
	})
	var text strings.Builder
	for n, column := range columns {
		fmt.Fprintf(&text, "%s%s\n", strings.Repeat("| ", n), column)
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		for _, column := range columns {
			fmt.Fprintf(&text, "%s ", cmp.Or(table[name][column.String()], "-"))
		}
		fmt.Fprintln(&text, name)
	}
	t.Logf("\n%s", &text)
}
