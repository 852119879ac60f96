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

// link builds the bootstrap with its symbol table.
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

// needsNothing lists functions of Go's runtime that may be called although the runtime is not running: they use
// only their arguments, or end the program, or are behind a condition that is never true without a heap (write
// barriers).
var needsNothing = []string{
	"memmove", "memequal", "memclrNoHeapPointers", "memhash", "cmpstring", "ifaceeq", "efaceeq", "strequal", "interequal",
	"panicBounds", "panicdivide", "panicshift", "panicdottypeI", "panicdottypeE", "panicwrap", "sigpanic", "panicmem",
	"panicunsafestringlen", "panicunsafestringnilptr", "panicunsafeslicelen", "panicunsafeslicenilptr",
	"morestack_noctxt", "morestack", "gcWriteBarrier1", "gcWriteBarrier2", "gcWriteBarrier3", "gcWriteBarrier4", "gcWriteBarrier5",
	"gcWriteBarrier6", "gcWriteBarrier7", "gcWriteBarrier8", "wbMove", "wbZero", "decoderune", "duffzero", "duffcopy", "gopanic",
}

// allocates lists calls that remain in functions although they are never made, and the reason.
var allocates = map[string]string{
	"growslice":     "append, where the capacity is known to be enough: httpwire.Memory, api.header, stream.trailers, reportMemory",
	"makeslice":     "httpwire's buffers where none were given",
	"convT64":       "an errno as error: values below 256 are in a table",
	"concatstring2": "messages of httpwire's errors, which reason does not ask for",
	"concatstring3": "texts of error numbers and signals without a name, which meaning and signalName do not ask for",

	"slicebytetostring": "the same texts",
}

// TestNothingNeedsTheRuntime checks the rules of the package comment for everything that entry can reach. None of
// it may call a part of the runtime that must be running, or use a package that must be initialised.
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
		// Calls through an interface are not visible, so every function of this module counts as called.
		if strings.HasPrefix(function, "main.") || strings.HasPrefix(function, "github.com/twinstart/") {
			reach(function)
		}
	}
	if !reached["main.run"] || !reached["main.child"] || len(calls["main.run"]) == 0 {
		t.Fatal("no calls found: has the output of go tool objdump changed?")
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
		if name := packageOf(function); initialized[name] && name != "syscall" { // syscall initialises only the environment
			t.Errorf("%s is called, but its package is never initialised", function)
		}
	}
}

// callGraph returns the functions that each function calls, by symbol, without an ABI suffix.
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

// initializedPackages returns the packages that run code at program start under the runtime.
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
		t.Fatal("no packages found: has the output of go tool nm changed?")
	}
	return found
}

// packageOf returns the import path of a symbol.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}
