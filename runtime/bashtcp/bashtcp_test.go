package bashtcp_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/runtime/bashtcp"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

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
		if shellcheck, err := exec.LookPath("shellcheck"); err == nil {
			check := exec.Command(shellcheck, "--shell=bash", "-")
			check.Stdin = strings.NewReader(text)
			if output, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, output)
			}
		}
	}
}
