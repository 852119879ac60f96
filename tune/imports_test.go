package tune

import (
	"os/exec"
	"strings"
	"testing"
)

// The state machine's function is small because neither the lab nor the CDK is in it.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/tunestep").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		own, isOurs := strings.CutPrefix(path, "github.com/twinstart/twinstart/")
		foreign := isOurs && !strings.HasPrefix(own, "tune") && own != "runtime/arm" && own != "bench/logline" && own != "bench/price" && own != "bench/stat"
		if foreign || strings.Contains(path, "jsii") || strings.Contains(path, "awscdk") {
			t.Errorf("tunestep links %s", path)
		}
	}
}
