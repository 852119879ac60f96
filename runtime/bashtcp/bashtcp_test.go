package bashtcp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/runtime/bashtcp"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
	"github.com/twinstart/twinstart/tools/need"
)

// unpacked is a folder with the files that the bootstrap puts in a package. They are written before any test starts
// a process, because a program cannot be started while a process has it open for writing.
var unpacked string

func TestMain(m *testing.M) {
	os.Exit(lab.Within(func() int {
		dir, err := os.MkdirTemp("", "bashtcp")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		for name, text := range bashtcp.Files() {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				panic(err)
			}
		}
		unpacked = dir
		return m.Run()
	}))
}

func TestScript(t *testing.T) {
	files := bashtcp.Files()
	if !strings.HasPrefix(files["bootstrap"], "#!/bin/bash\n") {
		t.Error("the first line is not #!/bin/bash alone, which bashtcp-static replaces")
	}
	if agent := runtimeapi.UserAgent("bashtcp"); !strings.Contains(files["bootstrap"], "User-Agent: "+agent+`\r\n`) {
		t.Errorf("the script does not send User-Agent %s", agent)
	}
	for name, text := range files {
		bash := exec.Command("bash", "-n")
		bash.Stdin = strings.NewReader(text)
		if output, err := bash.CombinedOutput(); err != nil {
			t.Errorf("parsing %s: %v\n%s", name, err, output)
		}
		if lines := strings.Count(text, "\n"); lines > 400 {
			t.Errorf("%s has %d lines", name, lines)
		}
		t.Run(name, func(t *testing.T) {
			check := exec.Command(need.Tool(t, "shellcheck"), "--shell=bash", "-")
			check.Stdin = strings.NewReader(text)
			if output, err := check.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}
