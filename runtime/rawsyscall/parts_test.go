package main

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinstart/twinstart/runtime/perevent"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

func TestText(t *testing.T) {
	var memory [16]byte
	for _, test := range []struct {
		build func(t *text)
		want  string
	}{
		{func(t *text) { t.add("a", "", "bc").byte('d') }, "abcd"},
		{func(t *text) { t.int(0).byte(' ').int(-12).byte(' ').int(1 << 40) }, "0 -12 1099511627"},
		{func(t *text) { t.quoted("a\"\\\n\r\x01\xff") }, `"a\"\\\n\r\x01\x`},
		{func(t *text) { t.add("0123456789abcdef", "more").byte('x') }, "0123456789abcdef"},
	} {
		built := in(memory[:])
		test.build(&built)
		if got := built.string(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("any carnal pleas"))
	f.Fuzz(func(t *testing.T, b []byte) {
		built := in(make([]byte, 2*len(b)+8))
		if got, want := built.base64(b).string(), base64.StdEncoding.EncodeToString(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// FuzzTail checks that the tail is the end of the input, however the input is cut into pieces.
func FuzzTail(f *testing.F) {
	f.Add([]byte("one\ntwo\n"), uint16(3))
	f.Add([]byte(strings.Repeat("line\n", 3000)), uint16(1000))
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		whole := string(b)
		tail.Reset()
		for step := int(size%9000) + 1; len(b) > 0; b = b[min(step, len(b)):] {
			tail.Add(b[:min(step, len(b))])
		}
		got := string(tail.Message())
		trimmed := strings.Trim(whole, " \t\n\v\f\r")
		if !strings.HasSuffix(trimmed, got) || len(got) > runtimeapi.TailSize || len(whole) <= runtimeapi.TailSize && got != trimmed {
			t.Errorf("tail of %d bytes is %q", len(whole), got)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"127.0.0.1:9001", "localhost:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "256.0.0.1:1", "1.2.3:4", "1.2.3.4.5:6", "a:1", "", ":1", "[::1]:9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseAddress(s)
		want, err := netip.ParseAddrPort(strings.Replace(s, "localhost:", "127.0.0.1:", 1))
		if ok && (err != nil || want.Addr().As4() != got.Addr || want.Port() != got.Port>>8|got.Port<<8) && !strings.Contains(s, "0") {
			t.Errorf("%q is read as %v", s, got)
		}
		if !ok && err == nil && want.Addr().Is4() && want.Port() != 0 {
			t.Errorf("%q is refused", s)
		}
	})
}

// FuzzResolve checks that handlers are found, and refused with the same reasons, as in package perevent.
func FuzzResolve(f *testing.F) {
	root := f.TempDir()
	for _, name := range []string{"handler.sh", "program", "src/a.b.sh", "-.sh", "x"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "x"), 0o644); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"", "handler.run", "handler", "program", "src/a.b.c", "-.run", "x", "src", "src/", "../x", "/bin/sh", "handler.1", "handler.", "a\nb",
		"handler.run x", strings.Repeat("x", 300), "handler." + strings.Repeat("y", 200), "none.run", "handler.sh.x", "program.run", "x/y"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.Contains(name, "\x00") || len(name) > 200 {
			return // an environment cannot contain NUL; rawsyscall refuses long names itself
		}
		got := resolve(root, name)
		found, want := perevent.Resolve(root, name)
		switch {
		case (got == nil) != (want == nil):
			t.Fatalf("%q: %v, perevent %v", name, got, want)
		case want != nil && got.kind != want.Type:
			t.Errorf("%q: %s, perevent %s", name, got.kind, want.Type)
		case want == nil && (cString(handler.file) != found.File || handler.function != found.Function):
			t.Errorf("%q: %s %s, perevent %s %s", name, cString(handler.file), handler.function, found.File, found.Function)
		case want != nil:
			var report struct{ ErrorMessage, ErrorType string }
			if err := json.Unmarshal(got.json(), &report); err != nil || !utf8.Valid(got.json()) || report.ErrorType != got.kind || report.ErrorMessage == "" {
				t.Errorf("%q: %s: %v", name, got.json(), err)
			}
		}
	})
}

func TestSystemFirst(t *testing.T) {
	for folders, want := range map[string]bool{
		"/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib":               true, // a ZIP's
		"/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib": true, // an image's
		"": false, "/lib64": false, "/lib64:/usr/lib64": false, "/opt/lib:/lib64:/usr/lib64:": false,
		"/var/lang/lib:": false, "/var/lang/lib:/opt/lib:/lib64:/usr/lib64:": false, "/lib64:/usr/lib64x:": false,
	} {
		if got := systemFirst(folders); got != want {
			t.Errorf("%q: %v", folders, got)
		}
	}
}

func TestConfigure(t *testing.T) {
	initialStack = stackOf([]string{"bootstrap", "handler.run"}, []string{"A=b", "HOME=/root", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", "_X_AMZN_TRACE_ID=old",
		"LAMBDA_RUNTIME_AWS_REQUEST_ID=old", "TWINSTART_ISOLATION=", "TWINSTART_PHASES=0", "NOTHING", "AWS_LAMBDA_MAX_CONCURRENCY="})
	if f := configure(); f != nil {
		t.Fatal(f.message.string())
	}
	var kept []string
	for _, entry := range inherited.entries[:inherited.n] {
		kept = append(kept, cString(entry))
	}
	if got := strings.Join(kept, " "); got != "A=b AWS_LAMBDA_RUNTIME_API=127.0.0.1:1 TWINSTART_ISOLATION= TWINSTART_PHASES=0 NOTHING AWS_LAMBDA_MAX_CONCURRENCY=" {
		t.Errorf("handlers inherit %s", got)
	}
	if settings.handler != "handler.run" || settings.root != "/var/task" || settings.isolation != byWorker || settings.concurrency != 1 || settings.phases != "0" {
		t.Errorf("settings %+v", settings)
	}
	initialStack = stackOf(nil, []string{"TWINSTART_ISOLATION=none"})
	if f := configure(); f == nil || f.kind != "Runtime.ConfigInvalid" {
		t.Errorf("got %v", f)
	}
}
