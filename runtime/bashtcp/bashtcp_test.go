package bashtcp_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/runtime/bashtcp"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
	"github.com/twinstart/twinstart/tools/need"
)

func TestMain(m *testing.M) { os.Exit(sandbox.Within(m.Run)) }

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
