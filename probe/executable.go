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
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// emulatorPath is the mount point of the emulator, relative to the root of an environment.
const emulatorPath = ".twinstart-emulator"

// executable returns the host's path of a file below root. It returns an error if the file cannot be started.
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
		return "", problem("the package has no %s: Lambda starts /var/task/bootstrap, so it must lie at the top of the ZIP",
			name)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", problem("%s is not a file: put an executable there", name)
	case info.Mode()&0o111 == 0:
		return "", problem("%s is not executable: chmod +x it before zipping", name)
	}
	return file, nil
}

// resolve returns the host's path of name, after it has followed links as a process with this root would.
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
			return "", problem("%s: more than 40 links: name the program itself", name)
		}
		if path.IsAbs(link) {
			done = "/"
		}
		todo = append(strings.Split(strings.Trim(path.Clean(link), "/"), "/"), todo...)
	}
	return filepath.Join(root, done), nil
}

// noPreemption is a setting of GODEBUG. Without it, Go sends a signal to a goroutine that has run for 10 ms, for
// example while it waits for cold pages. The signal's handler looks up the interrupted function in .gopclntab and so
// reads pages that other starts never touch, each with a window of read-ahead. The machine's load decides how often
// that happens. See https://pkg.go.dev/runtime#hdr-Environment_Variables.
const noPreemption = "asyncpreemptoff"

// withoutPreemption adds the setting to a function's environment, after the user's settings. If the user has set it, it
// changes nothing.
func withoutPreemption(env []string) []string {
	const variable = "GODEBUG="
	env = slices.Clone(env)
	i := slices.IndexFunc(env, func(kv string) bool { return strings.HasPrefix(kv, variable) })
	if i < 0 {
		return append(env, variable+noPreemption+"=1")
	}
	if own := env[i][len(variable):]; !strings.Contains(own, noPreemption+"=") {
		env[i] = variable + strings.TrimPrefix(own+","+noPreemption+"=1", ",")
	}
	return env
}

// startsGo reports whether Go has built the program below root, or another executable in /var/task, which the program
// may start.
func startsGo(root, program string) bool {
	file, err := resolve(root, program)
	if err == nil && isGo(file) {
		return true
	}
	folder := filepath.Join(root, sandbox.TaskRoot)
	entries, _ := os.ReadDir(folder)
	return slices.ContainsFunc(entries, func(entry os.DirEntry) bool {
		info, err := entry.Info()
		return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && isGo(filepath.Join(folder, entry.Name()))
	})
}

func isGo(file string) bool {
	_, err := buildinfo.ReadFile(file)
	return err == nil
}

// elfArchitecture reads the header of an executable. loader is its dynamic loader; "" if it is linked statically.
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
		return "", "", problem("%s is built for %v (%v): Lambda runs x86_64 and arm64 (GOARCH=amd64 or arm64)",
			name, f.Machine, f.Class)
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

// checkLoader returns an error if an executable's dynamic loader is not below root.
func checkLoader(root, name, loader string, arch arm.Architecture) error {
	if file, err := resolve(root, loader); err == nil {
		if found, _, err := elfArchitecture(file, loader); err == nil && found == arch {
			return nil
		}
	}
	return problem("%s is linked against a C library (loader %s) that this base does not have for %s: link it "+
		"statically, or give an unpacked provided:al2023 of that architecture with --base-root", name, loader, arch)
}

// readUPX reads the header that UPX writes at the end of an executable; nil if there is none. See src/packhead.cpp in
// https://github.com/upx/upx.
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

// ReadELF reads an ELF file. If its section headers are invalid, as some packers and obfuscators make them, it reads
// the file without them: the kernel needs only the segments.
func ReadELF(content io.ReaderAt) (*elf.File, error) {
	f, err := elf.NewFile(content)
	if err != nil {
		f, err = elf.NewFile(noSections{content})
	}
	return f, err
}

// noSections is a 64-bit ELF file without the fields of its header that locate the section headers.
type noSections struct{ io.ReaderAt }

func (n noSections) ReadAt(p []byte, offset int64) (int, error) {
	read, err := n.ReaderAt.ReadAt(p, offset)
	for at := max(offset, 40); at < min(offset+int64(read), 64); at++ {
		if at < 48 || at >= 58 { // e_shoff; e_shentsize, e_shnum, e_shstrndx
			p[at-offset] = 0
		}
	}
	return read, err
}
