package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link builds the bootstrap with its symbols.
func link(t *testing.T, architecture string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", append(append([]string{"build", "-trimpath", "-buildvcs=false", "-o", path}, flags...), ".")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+architecture)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return path
}

// needsNothing are the functions of Go's runtime that may be called without it: they look at nothing but their arguments, or
// they end the program, or they stand behind a condition that a program without a heap never meets (write barriers).
var needsNothing = []string{
	"memmove", "memequal", "memclrNoHeapPointers", "memhash", "cmpstring", "ifaceeq", "efaceeq", "strequal", "interequal",
	"panicBounds", "panicdivide", "panicshift", "panicdottypeI", "panicdottypeE", "panicwrap", "sigpanic", "panicmem",
	"panicunsafestringlen", "panicunsafestringnilptr", "panicunsafeslicelen", "panicunsafeslicenilptr",
	"morestack_noctxt", "morestack", "gcWriteBarrier1", "gcWriteBarrier2", "gcWriteBarrier3", "gcWriteBarrier4", "gcWriteBarrier5",
	"gcWriteBarrier6", "gcWriteBarrier7", "gcWriteBarrier8", "wbMove", "wbZero", "decoderune", "duffzero", "duffcopy", "gopanic",
}

// allocates are the calls that remain in functions where it is known that they are not made, and why.
var allocates = map[string]string{
	"growslice":     "append, to what has the capacity: httpwire.Memory, api.header, stream.trailers, reportMemory",
	"makeslice":     "httpwire's buffers where none were given",
	"newobject":     "httpwire.NewConn where no memory was given",
	"convT64":       "an errno as error: values below 256 are in a table",
	"concatstring2": "messages of httpwire's errors, which reason does not ask for",
	"concatstring3": "texts of error numbers and signals without a name, which meaning and signalName do not ask for",

	"slicebytetostring": "the same texts",
}

// TestNothingNeedsTheRuntime holds the rules of the package comment for everything that can be reached in the program that starts at
// entry: none of it calls the runtime for anything that needs the runtime to be there, and no package of it needs to be initialised.
func TestNothingNeedsTheRuntime(t *testing.T) {
	for _, architecture := range []string{"amd64", "arm64"} {
		t.Run(architecture, func(t *testing.T) { nothingNeedsTheRuntime(t, architecture) })
	}
}

func nothingNeedsTheRuntime(t *testing.T, architecture string) {
	t.Parallel()
	calls := callGraph(t, link(t, architecture, "-ldflags=-E=main.entry"))
	initialized := initializedPackages(t, link(t, architecture))
	var queue []string
	reached := map[string]bool{}
	reach := func(function string) {
		if !reached[function] {
			reached[function] = true
			queue = append(queue, function)
		}
	}
	for function := range calls {
		// Calls through an interface cannot be seen; so all of this module is taken to be called.
		if strings.HasPrefix(function, "main.") || strings.HasPrefix(function, "github.com/twinstart/") {
			reach(function)
		}
	}
	if !reached["main.run"] || !reached["main.child"] || len(calls["main.run"]) == 0 {
		t.Fatal("no calls found: what does go tool objdump print now?")
	}
	for len(queue) > 0 {
		function := queue[0]
		queue = queue[1:]
		for _, callee := range calls[function] {
			name, isRuntime := strings.CutPrefix(callee, "runtime.")
			switch {
			case !isRuntime:
				reach(callee)
			case !slices.Contains(needsNothing, name) && allocates[name] == "":
				t.Errorf("%s calls runtime.%s", function, name)
			}
		}
		if name := packageOf(function); initialized[name] && name != "syscall" { // of which only the environment is initialised
			t.Errorf("%s is called, of a package that is never initialised", function)
		}
	}
}

// callGraph says which functions a function calls, by symbol, without the suffix of an ABI.
func callGraph(t *testing.T, binary string) map[string][]string {
	t.Helper()
	output, err := exec.Command("go", "tool", "objdump", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	graph := map[string][]string{}
	function := ""
	call := regexp.MustCompile(`\b(?:CALL|JMP|BL|B)\s+([^\s(]+(?:\(\*[^)]+\)[^\s(]*)?)(?:\(SB\))?\s*$`)
	for line := range strings.SplitSeq(string(output), "\n") {
		if name, ok := strings.CutPrefix(line, "TEXT "); ok {
			name, _, _ = strings.Cut(name, "(SB)")
			function = strings.TrimSuffix(name, ".abi0")
			graph[function] = nil
		} else if match := call.FindStringSubmatch(line); match != nil {
			graph[function] = append(graph[function], strings.TrimSuffix(match[1], ".abi0"))
		}
	}
	return graph
}

// initializedPackages are those of a program under the runtime that do something when it starts.
func initializedPackages(t *testing.T, binary string) map[string]bool {
	t.Helper()
	output, err := exec.Command("go", "tool", "nm", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for line := range strings.SplitSeq(string(output), "\n") {
		if name, ok := strings.CutSuffix(line, "..inittask"); ok {
			found[name[strings.LastIndexByte(name, ' ')+1:]] = true
		}
	}
	if !found["syscall"] {
		t.Fatal("no packages found: what does go tool nm print now?")
	}
	return found
}

// packageOf is the import path of a symbol.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}
