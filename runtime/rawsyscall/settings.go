package main

import (
	"unsafe"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// settings are what the environment and the command line say. The strings share the memory of the environment.
var settings struct {
	api         string // AWS_LAMBDA_RUNTIME_API, host:port
	handler     string // _HANDLER, else the first argument (an image's CMD)
	root        string // LAMBDA_TASK_ROOT, else /var/task
	isolation   isolation
	concurrency int    // AWS_LAMBDA_MAX_CONCURRENCY; 1 if it is not set
	phases      string // TWINSTART_PHASES
	snapshot    bool   // a snapshot of this environment is going to be made (SnapStart)

	libraries *byte // LD_LIBRARY_PATH=value if Bash is started without it, else nil
	shellSet  bool  // whether the environment has SHELL
}

// configure reads the settings and keeps the rest of the environment for handlers. A failure must be reported by
// POST /init/error.
func configure() *failure {
	settings.root, settings.isolation, settings.concurrency = "/var/task", byWorker, 1
	var bad string
	for _, entry := range environ() {
		name, value, _ := cut(cString(entry), '=')
		keep := true
		switch name {
		case "AWS_LAMBDA_RUNTIME_API":
			settings.api = value
		case "_HANDLER":
			settings.handler = value
		case "LAMBDA_TASK_ROOT":
			if value != "" {
				settings.root = value
			}
		case "TWINSTART_ISOLATION":
			if settings.isolation = isolation(value); value == "" {
				settings.isolation = byWorker
			}
		case "TWINSTART_PHASES":
			settings.phases = value
		case "AWS_LAMBDA_INITIALIZATION_TYPE":
			settings.snapshot = value == "snap-start"
		case "AWS_LAMBDA_MAX_CONCURRENCY":
			if n, ok := decimal(value); ok && n > 0 && n <= maxConcurrency {
				settings.concurrency = int(n)
			} else if value != "" {
				bad = "AWS_LAMBDA_MAX_CONCURRENCY is not a number from 1 to 1000"
			}
		case "LD_LIBRARY_PATH":
			if keep = !systemFirst(value); !keep {
				settings.libraries = entry
			}
		case "SHELL":
			settings.shellSet = true
		case "TWINSTART_LIB", "TWINSTART_STREAM": // set below
			keep = false
		default:
			keep = !runtimeapi.Contextual(name)
		}
		if keep && inherited.n < maxEntries {
			inherit(entry)
		}
	}
	if arguments := arguments(); settings.handler == "" && len(arguments) > 1 {
		settings.handler = cString(arguments[1])
	}
	if settings.snapshot && settings.concurrency > 1 {
		bad = "AWS_LAMBDA_MAX_CONCURRENCY is above 1 and SnapStart is on: use only one of them"
	}
	switch settings.isolation {
	case byWorker, bySubshell, byProcess:
	default:
		bad = "TWINSTART_ISOLATION is not worker, subshell or process"
	}
	if bad != "" {
		return fail("Runtime.ConfigInvalid").say(bad)
	}
	return nil
}

const maxConcurrency = 1000

func inherit(entry *byte) {
	inherited.entries[inherited.n] = entry
	inherited.n++
}

// inheritString adds NAME=value, which must end in a NUL and stay in memory.
func inheritString(entry string) { inherit(unsafe.StringData(entry)) }

// cut splits s at the first separator.
func cut(s string, separator byte) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == separator {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// decimal parses digits only.
func decimal(s string) (n int64, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<58 {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, s != ""
}

func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
