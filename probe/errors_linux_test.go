package probe_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/probe"
)

func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in the error %v", w, err)
		}
	}
}

func script(text string) map[string][]byte {
	return map[string][]byte{"bootstrap": []byte(text)}
}

// machine returns the test bootstrap with another e_machine, the ELF header's field for the architecture.
func machine(t *testing.T, number uint16) map[string][]byte {
	content := read(t, bootstrap(t, runtime.GOARCH))
	binary.LittleEndian.PutUint16(content[18:], number)
	return map[string][]byte{"bootstrap": content}
}

// Each error about a package must name the cause, and say what to do.
func TestBadPackages(t *testing.T) {
	t.Parallel()
	p := newProber(t, probe.Options{Limit: 5 * time.Second, Rounds: 1})
	for name, test := range map[string]struct {
		files map[string][]byte
		want  []string
	}{
		"neither ELF nor script":  {map[string][]byte{"bootstrap": []byte("hello\n")}, []string{"neither an ELF executable nor a script"}},
		"empty":                   {map[string][]byte{"bootstrap": nil}, []string{"neither an ELF executable"}},
		"ELF cut off":             {map[string][]byte{"bootstrap": []byte("\x7fELF\x02\x01\x01")}, []string{"neither an ELF executable"}},
		"for ppc64le":             {machine(t, 21), []string{"PPC64", "x86_64 and arm64"}},
		"no such interpreter":     {script("#!/usr/bin/perl6 -w\n"), []string{"/usr/bin/perl6", "neither the package nor the base"}},
		"Windows line ends":       {script("#!/bin/bash\r\necho\r\n"), []string{"Windows line ends"}},
		"crash in INIT":           {script("#!/bin/bash\necho cannot find config.yaml >&2\nexit 3\n"), []string{"ended in INIT", "exit status 3", "cannot find config.yaml", "it never called the Runtime API"}},
		"killed in INIT":          {script("#!/bin/bash\nkill -SEGV $$\n"), []string{"signal: segmentation fault"}},
		"never asks for an event": {script("#!/bin/bash\nsleep 60\n"), []string{"no GET /2018-06-01/runtime/invocation/next within 5s", "it never called the Runtime API"}},
		"calls something else": {script("#!/bin/bash\na=$AWS_LAMBDA_RUNTIME_API\nexec 3<>/dev/tcp/${a%:*}/${a#*:}\nprintf 'GET /2018-06-01/runtime/nxt HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3\nsleep 60\n"),
			[]string{"never asked", "it called GET /2018-06-01/runtime/nxt"}},
		"needs credentials": {script("#!/bin/bash\necho 'Unable to locate credentials' >&2\nexit 255\n"), []string{"needs AWS credentials", "Unable to locate"}},
		"needs the network": {script("#!/bin/bash\necho 'dial tcp: lookup db.internal: no such host' >&2\nexit 1\n"), []string{"needs the network", "db.internal"}},
		"init error":        {script("#!/bin/bash\na=$AWS_LAMBDA_RUNTIME_API\nexec 3<>/dev/tcp/${a%:*}/${a#*:}\nprintf 'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 24\\r\\n\\r\\n{\"errorMessage\":\"broken\"}' >&3\nsleep 60\n"), []string{"reported an error in INIT", "broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			pkg, err := open(folder(t, test.files))
			must(t, err)
			_, err = p.Measure(t.Context(), pkg)
			wantError(t, err, test.want...)
			var told *probe.Error
			if !errors.As(err, &told) {
				t.Errorf("the error is a %T, want an *Error", err)
			}
		})
	}
}

func TestWhatIsNotAPackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o644))
		return path
	}
	object := make([]byte, 600)
	copy(object[257:], "ustar")
	for path, want := range map[string]string{
		write("text", "hello"):                     "is not a package",
		write("empty", ""):                         "is not a package",
		write("tar", string(object)):               "is not an image tarball",
		write("gz", "\x1f\x8b broken"):             "is not an image tarball",
		t.TempDir():                                "neither a bootstrap nor a Dockerfile",
		filepath.Join(dir, "nothing"):              "no such file",
		"/dev/null":                                "neither a file nor a folder",
		write("broken.zip", "PK\x03\x04 broken"):   "cannot be read as a ZIP",
		write("handler.py", "def run(e, c): pass"): "managed runtime (python)",
	} {
		_, err := open(path)
		wantError(t, err, want)
	}
	p := newProber(t, probe.Options{})
	_, err := open(zipped(t, folder(t, map[string][]byte{"bin/bootstrap": []byte("#!/bin/sh\n")})))
	wantError(t, err, "must lie at the top of the ZIP", "it has bin/bootstrap")
	plain := folder(t, map[string][]byte{"bootstrap": []byte("#!/bin/sh\n")})
	must(t, os.Chmod(filepath.Join(plain, "bootstrap"), 0o644))
	pkg, err := open(plain)
	must(t, err)
	_, err = p.Measure(t.Context(), pkg)
	wantError(t, err, "not executable")
}
