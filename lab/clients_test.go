package lab_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// The SDKs for Python and JavaScript must work with the lab as with AWS. Other tests use the SDK for Go.
func TestOtherSDKs(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newLab(t, function(t, "F", nil)))
	t.Cleanup(server.Close)
	archive := filepath.Join(t.TempDir(), "f.zip")
	must(t, os.WriteFile(archive, zipped(t, map[string]string{"bootstrap": builtBootstrap(t)}), 0o644))
	for name, test := range map[string]struct{ program, script string }{
		"boto3": {python(t), "testdata/operations.py"}, "JavaScript": {need.Tool(t, "node"), "testdata/operations.mjs"},
	} {
		out, err := exec.CommandContext(t.Context(), test.program, test.script, server.URL, archive, string(host())).CombinedOutput()
		if err != nil || !strings.HasSuffix(string(out), "ok\n") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// python returns a Python that has boto3.
func python(t *testing.T) string {
	t.Helper()
	ours, err := filepath.Abs("../build/tools/deploy/bin/python")
	must(t, err)
	for _, program := range []string{ours, "python3"} {
		if exec.CommandContext(t.Context(), program, "-c", "import boto3").Run() == nil {
			return program
		}
	}
	need.Missing(t, "no Python here has boto3: make build/tools/deploy/.ready")
	return ""
}
