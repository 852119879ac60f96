package bashtcp_test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/twinstart/twinstart/runtime/bashtcp"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

func TestScript(t *testing.T) {
	if !bytes.HasPrefix(bashtcp.Bootstrap, []byte("#!/bin/bash\n")) {
		t.Error("the first line is not #!/bin/bash alone, which bashtcp-static replaces")
	}
	if agent := runtimeapi.UserAgent("bashtcp"); !bytes.Contains(bashtcp.Bootstrap, []byte("User-Agent: "+agent+`\r\n`)) {
		t.Errorf("the script does not send User-Agent %s", agent)
	}
	bash := exec.Command("bash", "-n")
	bash.Stdin = bytes.NewReader(bashtcp.Bootstrap)
	if output, err := bash.CombinedOutput(); err != nil {
		t.Errorf("parsing the script: %v\n%s", err, output)
	}
}
