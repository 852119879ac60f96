package lab_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLayers mounts layers at /opt: those of the stack, a later one over an earlier one, and one with the
// bootstrap. If a layer is not in the assembly, a warning names function and property.
func TestLayers(t *testing.T) {
	t.Parallel()
	content := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(path, []byte(text), 0o755))
		return path
	}
	elsewhere := "arn:aws:lambda:us-east-1:123456789012:layer:theirs:3"
	l := newLab(t,
		spec{id: "Own", files: map[string]string{"bootstrap": builtBootstrap(t)}, layers: []map[string]string{
			{"lib/first": content("first"), "lib/both": content("first")}, {"lib/both": content("later")}}},
		spec{id: "Runtime", files: map[string]string{"handler.sh": content("#")}, layers: []map[string]string{{"bootstrap": builtBootstrap(t)}}},
		spec{id: "Theirs", files: map[string]string{"bootstrap": builtBootstrap(t)}, props: map[string]any{"Layers": []string{elsewhere}}},
	)
	c := client(t, l)
	for _, name := range []string{"Own", "Runtime", "Theirs"} {
		got := invoke(t, c, name, `{}`)
		if got.payload != `{}` || got.failure != "" {
			t.Errorf("%s: %+v", name, got)
		}
		if read := initRead.FindStringSubmatch(got.log); read == nil || len(read[1]) < 3 { // hundreds of KiB, wherever the bootstrap is
			t.Errorf("%s: what it read of code and layers is not counted: %s", name, got.log)
		}
	}
	for path, want := range map[string]string{"/opt/lib/first": "first", "/opt/lib/both": "later", "/var/task/lib/both": "No such file"} {
		if got := invoke(t, c, "Own", `{"do":"shell","path":"cat `+path+` 2>&1"}`); !strings.Contains(got.payload, want) {
			t.Errorf("%s: %+v, want %q", path, got, want)
		}
	}
	warnings := strings.Join(l.Warnings(), "\n")
	for _, want := range []string{"the lab does without Layers (" + elsewhere + " is not in the assembly) of test/zip"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no %q in %s", want, warnings)
		}
	}
	if strings.Contains(warnings, "without Layers of") {
		t.Error(warnings)
	}
}

var initRead = regexp.MustCompile(`Init Read: ([0-9]+) KiB`)
