package probe

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// emulatorPath is where the emulator is bound, below the root of an environment.
const emulatorPath = ".twinstart-emulator"

// program is what an environment starts.
type program struct {
	argv     []string
	arch     arm.Architecture
	emulator string // of the host; "" runs natively
	upx      *UPX
	path     string // the bootstrap, absolute, inside of the environment
	startsGo bool   // it, or what it may start, was built by Go
}

// inspect looks at what argv would start below root, which is where the host sees an environment's root.
func inspect(root string, argv []string, declared arm.Architecture) (program, error) {
	p := program{argv: argv, arch: declared, path: argv[0], startsGo: startsGo(root, argv[0])}
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
		return p, problem("%s is built for %s and the function is %s: Lambda would report Runtime.InvalidEntrypoint (exec format error); build it for %s", argv[0], arch, declared, declared)
	}
	p.arch, p.upx = arch, readUPX(file)
	if loader != "" {
		if err := checkLoader(root, argv[0], loader, arch); err != nil {
			return p, err
		}
	}
	return p.emulate(nil)
}

// script resolves a script's interpreter. One of the base runs natively, whatever the package is for.
func (p program) script(root string, line []byte, declared arm.Architecture) (program, error) {
	line, _, whole := bytes.Cut(line, []byte("\n"))
	if !whole && len(line) > 250 {
		return p, problem("%s: its #! line is longer than the kernel reads", p.argv[0])
	}
	if bytes.HasSuffix(line, []byte("\r")) {
		return p, problem("%s has Windows line ends: no interpreter is called %q; convert it (dos2unix)", p.argv[0], line)
	}
	interpreter, argument, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	file, err := executable(root, interpreter)
	if err != nil {
		return p, problem("%s wants the interpreter %s, which neither the package nor the base has (%v): give the whole folder or ZIP", p.argv[0], interpreter, err)
	}
	arch, _, err := elfArchitecture(file, interpreter)
	if err != nil {
		return p, err
	}
	if p.arch == "" {
		p.arch = arch
	}
	if arch == arm.Host() {
		return p, nil
	}
	if declared != "" && arch != declared {
		return p, problem("%s is built for %s and the function is %s", interpreter, arch, declared)
	}
	p.arch = arch
	prefix := []string{interpreter}
	if argument = strings.TrimSpace(argument); argument != "" {
		prefix = append(prefix, argument)
	}
	return p.emulate(prefix)
}

// emulate puts an emulator before a program of another architecture. Programs that it starts in turn need binfmt_misc.
func (p program) emulate(interpreter []string) (program, error) {
	if p.arch == arm.Host() {
		return p, nil
	}
	name := map[arm.Architecture]string{arm.ARM64: "qemu-aarch64", arm.X8664: "qemu-x86_64"}[p.arch]
	for _, candidate := range []string{name + "-static", name} {
		if file, err := exec.LookPath(candidate); err == nil {
			p.emulator = file
			p.argv = append(append([]string{"/" + emulatorPath}, interpreter...), p.argv...)
			return p, nil
		}
	}
	return p, problem("%s is built for %s and this machine is %s: install qemu-user-static to count what it reads", p.path, p.arch, arm.Host())
}

// executable finds a file below root as the environment would, and checks that it can be started.
func executable(root, name string) (string, error) {
	file, err := resolve(root, name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name != sandbox.TaskRoot+"/bootstrap":
		return "", problem("the image has no %s, which its ENTRYPOINT or CMD starts", name)
	case errors.Is(err, fs.ErrNotExist):
		return "", problem("the package has no %s: Lambda starts /var/task/bootstrap, so it must lie at the top of the ZIP", name)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", problem("%s is not a file", name)
	case info.Mode()&0o111 == 0:
		return "", problem("%s is not executable: chmod +x it before zipping", name)
	}
	return file, nil
}

// resolve follows links below root, absolute ones from root.
func resolve(root, name string) (string, error) {
	done, todo := "/", strings.Split(path.Clean("/" + name)[1:], "/")
	for links := 0; len(todo) > 0; {
		next := path.Join(done, todo[0])
		todo = todo[1:]
		link, err := os.Readlink(filepath.Join(root, next))
		if err != nil {
			done = next
			continue
		}
		if links++; links > 40 {
			return "", problem("%s: too many links", name)
		}
		if path.IsAbs(link) {
			done = "/"
		}
		todo = append(strings.Split(strings.Trim(path.Clean(link), "/"), "/"), todo...)
	}
	return filepath.Join(root, done), nil
}

// elfArchitecture reads an ELF header; loader is the dynamic loader that it wants.
func elfArchitecture(file, name string) (a arm.Architecture, loader string, err error) {
	content, err := os.Open(file)
	if err != nil {
		return "", "", fmt.Errorf("reading %s: %w", name, err)
	}
	defer content.Close()
	f, err := ReadELF(content)
	if err != nil {
		return "", "", problem("%s is neither an ELF executable nor a script with #! (%v)", name, err)
	}
	switch {
	case f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN:
		return "", "", problem("%s is an ELF file of type %v, not an executable: link it", name, f.Type)
	case f.Machine == elf.EM_X86_64 && f.Class == elf.ELFCLASS64:
		a = arm.X8664
	case f.Machine == elf.EM_AARCH64 && f.Data == elf.ELFDATA2LSB:
		a = arm.ARM64
	default:
		return "", "", problem("%s is built for %v (%v): Lambda runs x86_64 and arm64 (GOARCH=amd64 or arm64)", name, f.Machine, f.Class)
	}
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP {
			text := make([]byte, min(segment.Filesz, 4096))
			if _, err := io.ReadFull(segment.Open(), text); err == nil {
				loader = string(bytes.TrimRight(text, "\x00"))
			}
		}
	}
	return a, loader, nil
}

func checkLoader(root, name, loader string, arch arm.Architecture) error {
	if file, err := resolve(root, loader); err == nil {
		if found, _, err := elfArchitecture(file, loader); err == nil && found == arch {
			return nil
		}
	}
	return problem("%s is linked against a C library (loader %s) that this base does not have for %s: link it statically, or give an unpacked provided:al2023 of that architecture with --base-root", name, loader, arch)
}

// readUPX reads the header that UPX leaves at the end of what it packs. https://github.com/upx/upx, src/packhead.cpp
func readUPX(file string) *UPX {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	tail := make([]byte, min(info.Size(), 256))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return nil
	}
	i := bytes.LastIndex(tail, []byte("UPX!"))
	if i < 0 || i+28 > len(tail) {
		return nil
	}
	const lzma = 14
	return &UPX{UnpackedBytes: int64(binary.LittleEndian.Uint32(tail[i+24:])), LZMA: tail[i+6] == lzma}
}

// ReadELF reads an ELF file as a kernel does: by its segments. Sections that make no sense are left out, because a
// start needs none; some packers and obfuscators leave them so.
func ReadELF(content io.ReaderAt) (*elf.File, error) {
	f, err := elf.NewFile(content)
	if err != nil {
		if without, again := elf.NewFile(noSections{content}); again == nil {
			return without, nil
		}
	}
	return f, err
}

// noSections is a file of 64 bits whose ELF header names no sections.
type noSections struct{ io.ReaderAt }

func (n noSections) ReadAt(p []byte, offset int64) (int, error) {
	read, err := n.ReaderAt.ReadAt(p, offset)
	for at := offset; at < min(offset+int64(read), 64); at++ {
		if at >= 40 && at < 48 || at >= 58 { // e_shoff; e_shentsize, e_shnum, e_shstrndx
			p[at-offset] = 0
		}
	}
	return read, err
}

// noPreemption is a setting of GODEBUG. A goroutine that has run for 10 ms, as one that waits for cold pages has, is
// sent a signal, whose handler looks the interrupted function up in .gopclntab: pages that other starts never touch,
// each with a window of read-ahead. How often, the machine's load decides.
// https://pkg.go.dev/runtime#hdr-Environment_Variables
const noPreemption = "asyncpreemptoff"

// withoutPreemption adds the setting to a function's environment, behind the user's own; where they have set it, theirs
// stands.
func withoutPreemption(env []string) []string {
	env = slices.Clone(env)
	for i, kv := range env {
		switch own, ok := strings.CutPrefix(kv, "GODEBUG="); {
		case !ok:
		case strings.Contains(own, noPreemption+"="):
			return env
		default:
			env[i] = "GODEBUG=" + strings.TrimPrefix(own+","+noPreemption+"=1", ",")
			return env
		}
	}
	return append(env, "GODEBUG="+noPreemption+"=1")
}

// startsGo says whether the program below root, or an executable beside it that it may start, was built by Go.
func startsGo(root, program string) bool {
	file, err := resolve(root, program)
	if err == nil && isGo(file) {
		return true
	}
	beside, _ := os.ReadDir(filepath.Join(root, sandbox.TaskRoot))
	return slices.ContainsFunc(beside, func(entry os.DirEntry) bool {
		info, err := entry.Info()
		return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && isGo(filepath.Join(root, sandbox.TaskRoot, entry.Name()))
	})
}

func isGo(file string) bool {
	_, err := buildinfo.ReadFile(file)
	return err == nil
}
