package packages_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/tools/need"
)

func TestPaddedHasTheCodeOfRawTCPAndTheSizeOfNetHTTP(t *testing.T) {
	need.Time(t)
	w := workspace()
	for _, a := range architectures {
		read := func(name string) string {
			dir, err := w.Bootstrap(context.Background(), name, a)
			if err != nil {
				t.Fatal(err)
			}
			return tree(t, dir, false)["bootstrap"]
		}
		code, padded, size := read("rawtcp"), read("rawtcp-padded"), len(read("nethttp"))
		if len(padded) != size {
			t.Errorf("%s: %d bytes, want %d", a, len(padded), size)
		}
		if !strings.HasPrefix(padded, code) {
			t.Errorf("%s: the code is not at the start", a)
		}
	}
}

// A binary that was packed by UPX or padded must still run. Without a Runtime API it must exit by itself, like the
// original, and not by a signal.
func TestDerivedBinariesRun(t *testing.T) {
	need.Time(t)
	a := arm.ARM64
	if out, err := exec.Command("go", "env", "GOHOSTARCH").Output(); err != nil {
		t.Fatal(err)
	} else if strings.TrimSpace(string(out)) == "amd64" {
		a = arm.X8664
	}
	w := workspace()
	want := ""
	for _, name := range []string{"rawtcp", "rawtcp-padded", "rawtcp-upx"} {
		t.Run(name, func(t *testing.T) {
			dir, err := w.Bootstrap(t.Context(), name, a)
			if !available(t, err) {
				need.No(t, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(dir, "bootstrap"))
			cmd.Env = []string{}
			out, err := cmd.CombinedOutput()
			got := fmt.Sprintf("%v %s", err, out)
			if want == "" {
				want = got
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !exit.Exited() || got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
