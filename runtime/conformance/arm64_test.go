package conformance

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/tools/need"
)

// underARM64 lists the bootstraps whose machine code this project builds: rawsyscall, which has assembly for each
// architecture, and the Bash of bashtcp-static. The Bash that rawsyscall starts and the programs that handlers call
// are those of the machine.
var underARM64 = []struct {
	name       string
	argv       func(t *testing.T, emulator []string) []string
	instead    map[string]func(*outcome) error
	isolations []string // those of the second table that run
}{
	{"rawsyscall", rawsyscallARM64, nil, isolations},
	// With isolation by process bashtcp starts $BASH itself, and the kernel refuses that if qemu is not registered
	// with it.
	{"bashtcp-static", bashtcpStaticARM64, bashCannot, isolations[:2]},
}

// tooLong lists scenarios in which bashtcp-static needs 10 to 20 s of CPU time under qemu-user. They run on arm64
// machines and with make soak only.
var tooLong = map[string]bool{"6 MB event": true, "6 MB chunked event": true, "event on stdin": true, "worker/6 MB in and out": true, "subshell/6 MB in and out": true}

// everyRow is slow: under qemu-user a shell takes ten times as long.
var everyRow = flag.Bool("arm64-isolations", false, "TestARM64 runs all isolations, not only the default one")

// TestARM64 runs both tables with arm64 programs. On arm64 the other tests do the same; elsewhere it needs
// qemu-user.
func TestARM64(t *testing.T) {
	need.Time(t)
	var emulator []string
	if runtime.GOARCH != "arm64" {
		emulator = []string{need.Tool(t, "qemu-aarch64-static", "qemu-aarch64")}
	}
	for _, b := range underARM64 {
		t.Run(b.name, func(t *testing.T) {
			command := b.argv(t, emulator)
			for _, s := range scenarios {
				if emulator != nil && !*everyRow && b.name == "bashtcp-static" && tooLong[s.name] {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					o := s.run(t, command, patience)
					err := s.check(o)
					if exception, excepted := exceptions[exceptionKey{b.name, s.name}]; excepted {
						err = exception.check(o)
					}
					if err != nil {
						t.Errorf("%v\n%s", err, o)
					}
				})
			}
			for _, isolation := range b.isolations {
				if !*everyRow && isolation != isolations[0] {
					continue
				}
				for _, s := range contractScenarios {
					if emulator != nil && !*everyRow && b.name == "bashtcp-static" && tooLong[isolation+"/"+s.name] {
						continue
					}
					t.Run(isolation+"/"+s.name, func(t *testing.T) {
						t.Parallel()
						o := s.on(isolation).run(t, command, patience)
						err := s.check(o, isolation)
						if instead := b.instead[s.name]; instead != nil {
							err = instead(o)
						}
						if err != nil {
							t.Errorf("%v\n%s", err, o)
						}
					})
				}
			}
		})
	}
}

func rawsyscallARM64(t *testing.T, emulator []string) []string {
	t.Helper()
	binary := filepath.Join(built, "rawsyscall-arm64")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -E=main.entry", "-o", binary, "../rawsyscall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm64")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return append(emulator[:len(emulator):len(emulator)], binary)
}

func bashtcpStaticARM64(t *testing.T, emulator []string) []string {
	t.Helper()
	return append(emulator[:len(emulator):len(emulator)], packaged(t, "bashtcp-static", arm.ARM64, "bash", "bootstrap")...)
}
