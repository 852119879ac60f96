package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildsWhatIsNamed(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if err := run(context.Background(), []string{"-o", dir, "-architecture", "arm64", "bashtcp", "bashcurl"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "bootstraps", "bashtcp", "arm64") + "\n" + filepath.Join(dir, "bootstraps", "bashcurl", "arm64") + "\n"
	if stdout.String() != want {
		t.Errorf("%q, want %q", stdout.String(), want)
	}
	info, err := os.Stat(filepath.Join(dir, "bootstraps", "bashtcp", "arm64", "bootstrap"))
	if err != nil || info.Mode() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLeavesOutWhatCannotBeBuilt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("TWINSTART_CACHE", t.TempDir())
	var stdout, stderr bytes.Buffer
	if err := run(context.Background(), []string{"-o", t.TempDir(), "-architecture", "arm64", "bashtcp-static"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if stdout.Len() != 0 || strings.Count(stderr.String(), "left out: ") != 1 {
		t.Errorf("%q %q", stdout.String(), stderr.String())
	}
}

func TestMistakesAreErrors(t *testing.T) {
	for _, args := range [][]string{{"-architecture", "mips"}, {"nosuch"}, {"-nosuch"}} {
		var stdout, stderr bytes.Buffer
		if err := run(context.Background(), append([]string{"-o", t.TempDir()}, args...), &stdout, &stderr); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
