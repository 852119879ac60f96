package handler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// checkBash refuses scripts that Bash would not read but that this package's parser accepts.
func checkBash(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the script: %w", err)
	}
	if i := bytes.Index(text, []byte("\r\n")); i >= 0 {
		return fmt.Errorf("%s:%d: the line ends with CR LF, and Bash takes the CR for a part of the line: save the file with LF line ends (dos2unix %s)",
			path, 1+bytes.Count(text[:i], []byte("\n")), path)
	}
	bash := baseBash()
	if bash == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// With -n nothing is run, not even shopt -s extglob. So extglob is always on, and its patterns are accepted
	// everywhere.
	cmd := exec.CommandContext(ctx, bash, "--norc", "--noprofile", "-O", "extglob", "-n", "--", path)
	cmd.Env = []string{"LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("bash -n: %s: correct the script", said)
	}
	return nil // Bash could not be started, so nothing is known about the script
}

// baseVersion is the version of Bash in provided.al2023.
const baseVersion = "5.2"

// baseBash returns a Bash of the base's version, or "" if this machine has none.
var baseBash = sync.OnceValue(func() string {
	path, err := exec.LookPath("bash")
	if err != nil {
		return ""
	}
	cmd := exec.Command(path, "--norc", "--noprofile", "-c", `printf %s "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"`)
	cmd.Env = []string{}
	if version, err := cmd.Output(); err != nil || string(version) != baseVersion {
		return ""
	}
	return path
})
