package runtimeapi

import (
	"os"
	"testing"

	"github.com/twinstart/twinstart/lab"
)

// TestMain runs the tests on the root that a function finds.
func TestMain(m *testing.M) { os.Exit(lab.Within(m.Run)) }
