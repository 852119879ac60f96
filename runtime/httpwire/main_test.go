package httpwire

import (
	"os"
	"testing"

	"github.com/twinstart/twinstart/lab"
)

// TestMain runs the tests on a root with the files that a function finds on Lambda.
func TestMain(m *testing.M) { os.Exit(lab.Within(m.Run)) }
