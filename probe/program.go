package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/deployment"
)

// program is what an environment starts.
type program struct {
	argv     []string
	arch     arm.Architecture
	emulator string // a path of the host; "" if the program runs natively
	upx      *UPX
	startsGo bool // see the function startsGo
}

// inspect finds out what argv starts below root, the host's path of an environment's root.
func inspect(root string, argv []string, declared arm.Architecture) (program, error) {
	p := program{argv: argv, arch: declared, startsGo: startsGo(root, argv[0])}
	file, err := executable(root, argv[0])
	if err != nil {
		return p, err
	}
	head, err := deployment.ReadHead(file)
	if err != nil {
		return p, fmt.Errorf("reading %s: %w", argv[0], err)
	}
	if line, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		return p.script(root, line, declared)
	}
	arch, loader, err := elfArchitecture(file, argv[0])
	if err != nil {
		return p, err
	}
	if declared != "" && arch != declared {
		return p, problem("%s is built for %s and the function is %s: Lambda would report Runtime.InvalidEntrypoint "+
			"(exec format error); build it for %s", argv[0], arch, declared, declared)
	}
	p.arch, p.upx = arch, readUPX(file)
	if loader != "" {
		if err := checkLoader(root, argv[0], loader, arch); err != nil {
			return p, err
		}
	}
	return p.emulate()
}

// script finds the interpreter of a script. line is the script's text after #!. An interpreter in the base runs
// natively, whatever architecture the package is for.
func (p program) script(root string, line []byte, declared arm.Architecture) (program, error) {
	line, _, whole := bytes.Cut(line, []byte("\n"))
	if !whole && len(line) > 250 {
		return p, problem("%s: its #! line is longer than the kernel reads: shorten it", p.argv[0])
	}
	if bytes.HasSuffix(line, []byte("\r")) {
		return p, problem("%s has Windows line ends: no interpreter is called %q; convert it (dos2unix)", p.argv[0], line)
	}
	interpreter, argument, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	file, err := executable(root, interpreter)
	if err != nil {
		return p, problem("%s needs the interpreter %s, which neither the package nor the base has (%v): give the whole "+
			"folder or ZIP", p.argv[0], interpreter, err)
	}
	arch, _, err := elfArchitecture(file, interpreter)
	if err != nil {
		return p, err
	}
	p.arch = cmp.Or(p.arch, arch)
	if arch == arm.Host() {
		return p, nil
	}
	if declared != "" && arch != declared {
		return p, problem("%s is built for %s and the function is %s: give one for %s", interpreter, arch, declared, declared)
	}
	p.arch = arch
	if argument = strings.TrimSpace(argument); argument != "" {
		return p.emulate(interpreter, argument)
	}
	return p.emulate(interpreter)
}

// emulate puts an emulator before a program of another architecture, and a script's interpreter between them. Other
// programs that it starts need binfmt_misc.
func (p program) emulate(interpreter ...string) (program, error) {
	if p.arch == arm.Host() {
		return p, nil
	}
	name := map[arm.Architecture]string{arm.ARM64: "qemu-aarch64", arm.X8664: "qemu-x86_64"}[p.arch]
	for _, candidate := range []string{name + "-static", name} {
		if file, err := exec.LookPath(candidate); err == nil {
			p.emulator = file
			p.argv = slices.Concat([]string{"/" + emulatorPath}, interpreter, p.argv)
			return p, nil
		}
	}
	return p, problem("%s is built for %s and this machine is %s: install qemu-user-static to count what it reads",
		p.argv[0], p.arch, arm.Host())
}
