package probe

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox"
)

// noPreemption is a setting of GODEBUG. A goroutine that has run for 10 ms, as one that waits for cold pages has, is sent a signal, whose handler
// looks the interrupted function up in .gopclntab: pages that other starts never touch, each with a window of read-ahead. How
// often, the machine's load decides. https://pkg.go.dev/runtime#hdr-Environment_Variables
const noPreemption = "asyncpreemptoff"

// withoutPreemption adds the setting to a function's environment, behind the user's own; where they have set it, theirs stands.
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
