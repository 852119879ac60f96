package staticbash

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// The functions that replace those of the C library must do the same, on random strings and blocks of memory.
func TestFunctionsOfOurOwn(t *testing.T) {
	need.Time(t)
	cache, err := (&Builder{}).cache()
	if err != nil {
		t.Fatal(err)
	}
	compiler := []string{filepath.Join(cache, "zig-"+zigVersion, "ziglang", "zig"), "cc"}
	if _, err := exec.LookPath(compiler[0]); err != nil {
		compiler = []string{need.Tool(t, "cc")}
	}
	dir := t.TempDir()
	object, program := filepath.Join(dir, "libc.o"), filepath.Join(dir, "program")
	var named []string
	for _, name := range strings.Fields("malloc realloc calloc free strlen memcpy memmove memset memchr stpcpy strcpy strchr strcmp strncmp strdup strndup wcsdup qsort") {
		named = append(named, "-D"+name+"=own_"+name)
	}
	for _, args := range [][]string{
		slices.Concat(compiler[1:], strings.Fields("-O2 -std=gnu11 -ffreestanding -fno-builtin -w -c src/libc.c -o"), []string{object}, named),
		slices.Concat(compiler[1:], strings.Fields("-O1 -w testdata/libc.c -o"), []string{program, object}),
	} {
		if out, err := exec.CommandContext(t.Context(), compiler[0], args...).CombinedOutput(); err != nil {
			t.Fatalf("compiling: %v: %s", err, out)
		}
	}
	if out, err := exec.CommandContext(t.Context(), program).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
