package deployment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// ManagedError says that a package is for a managed runtime, and that the user has not named one.
type ManagedError struct {
	Package string
	Runtime string // its family: python, nodejs, java, dotnet or ruby
}

func (e *ManagedError) Error() string {
	how, ok := map[string]string{"nodejs": "nodejs22.x --handler index.handler",
		"python": "python3.13 --handler app.handler", "java": "java21 --handler example.Handler::handleRequest"}[e.Runtime]
	if !ok {
		return fmt.Sprintf("%s is for a managed runtime (%s) that has no stand-in in the lab, and nothing is predicted: "+
			"use twinstart logs, or twinstart tune --source aws", e.Package, e.Runtime)
	}
	return fmt.Sprintf("%s is for a managed runtime (%s): the lab runs it with --runtime %s; nothing is predicted",
		e.Package, e.Runtime, how)
}

// managed returns the family of the runtime that the files at the top of a package are for, or "" if no file shows it.
// The first file that shows one decides, because helpers in a package may be in any language.
func managed(names ...string) string {
	byExtension := map[string]string{".py": "python", ".mjs": "nodejs", ".cjs": "nodejs", ".js": "nodejs", ".rb": "ruby",
		".jar": "java"}
	for _, name := range names {
		dir, base := path.Split(name)
		ext := strings.ToLower(path.Ext(base))
		switch {
		case ext == ".class", ext == ".jar" && dir == "lib/":
			return "java"
		case dir != "":
		case base == "package.json":
			return "nodejs"
		case strings.HasSuffix(base, ".runtimeconfig.json"):
			return "dotnet"
		case byExtension[ext] != "":
			return byExtension[ext]
		}
	}
	return ""
}

// ReadHead returns up to the first 512 bytes of a file.
func ReadHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return head(f)
}

func head(f io.Reader) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// Built returns the architecture that an ELF file is built for, or "" for any other file.
func Built(path string) arm.Architecture {
	head, _ := ReadHead(path)
	return architecture(head)
}

// architecture returns the architecture in an ELF header, or "" for anything else.
func architecture(head []byte) arm.Architecture {
	if len(head) < 20 || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return ""
	}
	return map[byte]arm.Architecture{62: arm.X8664, 183: arm.ARM64}[head[18]] // e_machine, little-endian
}
