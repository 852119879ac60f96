package conformance

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds what bootstraps are made of: a package that is linked is pages that are read in a cold start.
func TestImports(t *testing.T) {
	for _, test := range []struct {
		folder    string
		forbidden []string
	}{
		{"../httpwire", []string{"net", "net/http", "fmt", "os", "encoding/json"}},
		{"../runtimeapi", []string{"net", "net/http", "fmt", "os", "encoding/json"}},
		{"../perevent", []string{"net", "net/http", "fmt", "os", "os/exec", "encoding/json"}},
		{"../rawtcp", []string{"net/http", "fmt", "os/exec", "encoding/json"}},
		{"../nethttp", []string{"github.com/aws/aws-lambda-go/lambda"}},
		{"../lambdago", []string{"net/rpc"}},
	} {
		output, err := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", test.folder).Output()
		if err != nil {
			t.Fatalf("listing what %s imports: %v", test.folder, err)
		}
		for _, imported := range strings.Fields(string(output)) {
			if slices.Contains(test.forbidden, imported) {
				t.Errorf("%s imports %s; `go list -deps` shows the way", test.folder, imported)
			}
			first, _, _ := strings.Cut(imported, "/")
			ours := strings.HasPrefix(imported, "github.com/twinstart/twinstart/runtime/") ||
				test.folder == "../lambdago" && strings.HasPrefix(imported, "github.com/aws/aws-lambda-go/")
			if strings.Contains(first, ".") && !ours {
				t.Errorf("%s imports %s: bootstraps are made of the standard library", test.folder, imported)
			}
		}
	}
}
