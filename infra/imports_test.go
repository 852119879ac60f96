package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Who deploys waits for the app to be compiled: what only measures, or talks to AWS, is not in it.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		for _, foreign := range []string{"aws-sdk-go-v2", "gonum.org", "twinstart/lab", "twinstart/bench"} {
			if strings.Contains(path, foreign) {
				t.Errorf("the app links %s", path)
			}
		}
	}
}
