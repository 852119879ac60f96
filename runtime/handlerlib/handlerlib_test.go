package handlerlib_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinstart/twinstart/runtime/handlerlib"
	"github.com/twinstart/twinstart/tools/need"
)

var update = flag.Bool("update", false, "write script.go from lambda.sh")

// TestScriptIsCurrent checks that Script is the text of lambda.sh. With -update it rewrites script.go.
func TestScriptIsCurrent(t *testing.T) {
	source, err := os.ReadFile("lambda.sh")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		code := "// Code generated from lambda.sh by go generate. DO NOT EDIT.\n\npackage handlerlib\n\n" +
			"// Script is the library, as text that ends in a newline. lambda.sh is for reading.\nconst Script = " + strconv.Quote(string(source)) + "\n"
		if err := os.WriteFile("script.go", []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if handlerlib.Script != string(source) {
		t.Error("script.go differs from lambda.sh: run go generate ./runtime/handlerlib")
	}
}

// run runs a script after the library, under options that handlers may have set. It returns the script's output and
// status.
func run(t *testing.T, script string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	for i, options := range []string{"+e", "-eu", "-C"} {
		var out, log bytes.Buffer
		cmd := exec.Command("bash", append([]string{"-c", "set " + options + "\n" + handlerlib.Script + "set +e\n" + script, "bash"}, args...)...)
		cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8")
		cmd.Stdout, cmd.Stderr = &out, &log
		_ = cmd.Run() // the status is checked below
		if i > 0 && out.String() != stdout {
			t.Errorf("with set %s the output is %q, else %q", options, out.String(), stdout)
		}
		stdout, stderr, status = out.String(), log.String(), cmd.ProcessState.ExitCode()
	}
	return stdout, stderr, status
}

func TestJSONGet(t *testing.T) {
	const document = ` { "a" : {"b.c":[1,{"d":"x\u00e9\ud83d\ude00\n\"q\" \/\\"}, -1.5e3 ], "n":null},
		"e":"", "k\u0061":true, "z":{}, "deep":[[],[[{"x":[1,2,[3]]}]]], "half":"\ud83dx", "": 7, "same":1, "same":2 }`
	for _, test := range []struct {
		path, want string
		status     int
	}{
		{`a.b\.c.1.d`, "x\u00e9\U0001f600\n\"q\" /\\", 0},
		{`a.b\.c.0`, "1", 0},
		{`a.b\.c.2`, "-1.5e3", 0},
		{`a.b\.c.3`, "", 1},
		{`a.b\.c.01`, `{"d":"x\u00e9\ud83d\ude00\n\"q\" \/\\"}`, 0},
		{`a.b\.c.x`, "", 1},
		{`a.n`, "null", 0},
		{`a.n.x`, "", 1},
		{`e`, "", 0},
		{`ka`, "true", 0},
		{`z`, "{}", 0},
		{`z.q`, "", 1},
		{`deep.1.0.0.x.2.0`, "3", 0},
		{`deep.0.0`, "", 1},
		{`half`, "\ufffdx", 0},
		{`same`, "1", 0},
		{``, strings.TrimSpace(document), 0},
	} {
		stdout, stderr, status := run(t, `lambda_json_get "$1" "$2"`, document, test.path)
		if strings.TrimSuffix(stdout, "\n") != test.want || status != test.status || stderr != "" {
			t.Errorf("%s: got %q, status %d, %q; want %q, status %d", test.path, stdout, status, stderr, test.want, test.status)
		}
	}
}

func TestJSONGetMalformed(t *testing.T) {
	for _, document := range []string{``, `{"a" 1}`, `{"a":`, `{"a":"xx`, `{"x":1 "a":2}`, `{a:1}`, `{"x":[1,2`, `{"x":tru,"a":1}`, `{"x":01,"a":1}`, `}`,
		`$(touch touched)`, `{"x":"\`} {
		stdout, stderr, status := run(t, `lambda_json_get "$1" a`, document)
		want := 2
		if document == "" || document[0] != '{' {
			want = 1 // the document is not an object, so it has no member a
		}
		if stdout != "" || status != want || (stderr == "") == (want == 2) {
			t.Errorf("%s: got %q, status %d, %q; want status %d", document, stdout, status, stderr, want)
		}
	}
}

// TestJSONGetAgainstGo compares lambda_json_get with encoding/json on random documents.
func TestJSONGetAgainstGo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var script, want strings.Builder
	for range 150 {
		path, value := "", randomString(random)
		var document any = value
		for depth := random.IntN(4); depth > 0; depth-- {
			if random.IntN(2) == 0 {
				index := random.IntN(3)
				list := []any{[]string{"]", "x"}, 1.5, map[string]any{"}": nil}}[:index]
				document, path = append(append([]any{}, list...), document, "after"), fmt.Sprint(index)+"."+path
			} else {
				key := strings.Trim(randomString(random), "\\.")
				if key == "" {
					key = "k"
				}
				document = map[string]any{key: document, "other]": "}", "yet": []int{1}}
				path = strings.ReplaceAll(strings.ReplaceAll(key, "\\", ""), ".", `\.`) + "." + path
				if strings.Contains(key, "\\") {
					document = map[string]any{strings.ReplaceAll(key, "\\", ""): document.(map[string]any)[key]}
				}
			}
		}
		encoded, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "lambda_json_get %s %s v; printf '%%s\\0' \"$v\"\n", shellQuote(string(encoded)), shellQuote(strings.TrimSuffix(path, ".")))
		want.WriteString(value + "\x00")
	}
	stdout, stderr, _ := run(t, script.String())
	if stdout != want.String() || stderr != "" {
		for i, line := range strings.Split(want.String(), "\x00") {
			if got := strings.Split(stdout, "\x00"); i >= len(got) || got[i] != line {
				t.Fatalf("%d: got %q, want %q: %s\n%s", i, got[min(i, len(got)-1)], line, strings.Split(script.String(), "\n")[i], stderr)
			}
		}
		t.Error(stderr)
	}
}

func TestJSONQuote(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var script strings.Builder
	var want []string
	for range 200 {
		s := randomString(random)
		if random.IntN(4) == 0 {
			s += string([]byte{byte(128 + random.IntN(128)), byte(1 + random.IntN(255))})
		}
		fmt.Fprintf(&script, "lambda_json_quote %s v; printf '%%s\\0' \"$v\"\n", shellQuote(s))
		want = append(want, strings.ToValidUTF8(s, "\ufffd"))
	}
	stdout, _, _ := run(t, script.String())
	for i, line := range strings.Split(strings.TrimSuffix(stdout, "\x00"), "\x00") {
		var got string
		if err := json.Unmarshal([]byte(line), &got); err != nil || !utf8.ValidString(line) {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want[i], "\ufffd", "") {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

func TestLog(t *testing.T) {
	_, stderr, _ := run(t, `LAMBDA_RUNTIME_AWS_REQUEST_ID=id-1
lambda_log warn $'say "no"\n' name 'va"lue' alone; lambda_log debug no; AWS_LAMBDA_LOG_LEVEL=debug lambda_log debug yes
AWS_LAMBDA_LOG_LEVEL=FATAL lambda_log error no; lambda_log nonsense is info; AWS_LAMBDA_LOG_FORMAT=Text lambda_log error text a b`)
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %q", stderr)
	}
	for i, want := range []string{`WARN say "no"` + "\n id-1 va\"lue", "DEBUG yes id-1 <nil>", "INFO is id-1 <nil>"} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatalf("%q: %v", lines[i], err)
		}
		if s := fmt.Sprint(got["level"], " ", got["message"], " ", got["requestId"], " ", got["name"]); s != want {
			t.Errorf("got %q, want %q", s, want)
		}
	}
	if !strings.HasSuffix(lines[3], "Z ERROR id-1 text a=b") {
		t.Errorf("got %q", lines[3])
	}
}

func TestRemaining(t *testing.T) {
	stdout, _, _ := run(t, `LAMBDA_RUNTIME_DEADLINE_MS=$((EPOCHSECONDS * 1000 + 60000)); lambda_remaining_ms v; lambda_remaining_ms w; ((v > 50000 && v <= 60000 && w <= v)) && echo fine`)
	if stdout != "fine\n" {
		t.Errorf("got %q", stdout)
	}
}

// TestRemainingEvaluatesNothing uses a deadline that Bash arithmetic would run as code.
func TestRemainingEvaluatesNothing(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "touched")
	stdout, stderr, _ := run(t, `LAMBDA_RUNTIME_DEADLINE_MS='a[$(: >"$1")]'; lambda_remaining_ms v; ((v < 0)) && echo past`, marker)
	if _, err := os.Stat(marker); err == nil || stdout != "past\n" || stderr != "" {
		t.Errorf("got %q, %q; marker: %v", stdout, stderr, err)
	}
}

func TestStreamWithoutBootstrap(t *testing.T) {
	if _, stderr, status := run(t, `unset TWINSTART_STREAM; lambda_stream_http`); status != 1 || stderr == "" {
		t.Errorf("status %d, %q", status, stderr)
	}
}

func TestShellcheckFindsNothing(t *testing.T) {
	if output, err := exec.Command(need.Tool(t, "shellcheck"), "lambda.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// randomString returns a string with characters that JSON escapes and with text that Bash might run as code.
func randomString(random *rand.Rand) string {
	parts := []string{"a", "\"", "\\", "\n", "\t", "\x01", "\x1f", "\u00e9", "\U0001f600", "$(x)", "`y`", "'", "*", "?", "[", "]", "{", "}", ",", ":", " ", "%s", ".", "\\n", "&"}
	var b strings.Builder
	for range random.IntN(8) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
