package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestARM64 puts rawsyscall, which has code of its own for each architecture, under both tables as an arm64 program: on arm64 that is what the
// others do, elsewhere it takes qemu-user. Bash and the handlers are the machine's.
func TestARM64(t *testing.T) {
	var command []string
	if runtime.GOARCH != "arm64" {
		for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
			if path, err := exec.LookPath(name); err == nil {
				command = []string{path}
				break
			}
		}
		if command == nil {
			t.Log("not tested: qemu-user is not installed (apt-get install qemu-user-static)")
			return
		}
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -E=main.entry", "-o", binary, "../rawsyscall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm64")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	command = append(command, binary)
	t.Run("table", func(t *testing.T) {
		for _, s := range scenarios {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				o := s.run(t, command, patience)
				if err := s.check(o); err != nil {
					t.Errorf("%v\n%s", err, o)
				}
			})
		}
		for _, s := range contractScenarios {
			t.Run("worker/"+s.name, func(t *testing.T) {
				t.Parallel()
				o := s.on("worker").run(t, command, patience)
				if err := s.check(o, "worker"); err != nil {
					t.Errorf("%v\n%s", err, o)
				}
			})
		}
	})
}
