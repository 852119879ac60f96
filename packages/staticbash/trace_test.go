package staticbash_test

import (
	"bufio"
	"cmp"
	"context"
	"debug/elf"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/staticbash"
	"github.com/twinstart/twinstart/runtime/conformance"
	"github.com/twinstart/twinstart/tools/need"
)

var update = flag.Bool("update", false, "TestOrder traces cold starts and writes order.txt")

// TestOrder writes order.txt: the functions and constants of Bash that a cold start uses. For each architecture it
// builds a Bash with its symbols, which takes a minute, and runs it from the start to the second GET /next, including
// the forked worker: once with the handler's name in the environment, as in a ZIP, and once as an argument, as in an
// image. It runs under qemu-user and, if it is for this machine, also under Valgrind, which sees which constants are
// read. A name is in the order if any of these runs used it.
func TestOrder(t *testing.T) {
	if !*update {
		t.Skip("-update traces cold starts and writes order.txt")
	}
	// These have no names: assembly of the C library, and parts that Zig's compiler has cut out of its own
	// functions.
	found := map[string]bool{".text": true, ".text.OUTLINED_FUNCTION_*": true}
	for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
		bash, folder := staticbash.WithSymbols(t, a), t.TempDir()
		file, err := (&packages.Workspace{Dir: t.TempDir()}).ZIP(t.Context(), "bashtcp-static", a, "../../handlers/echo")
		if err == nil {
			err = archive.Unzip(file, folder)
		}
		if err != nil {
			t.Fatal(err)
		}
		names, err := readSymbols(bash)
		if err != nil {
			t.Fatalf("reading the symbols of %s: %v", bash, err)
		}
		output := filepath.Join(t.TempDir(), "trace")
		for _, tracer := range tracersOf(t, a, output) {
			for _, asArgument := range []bool{false, true} {
				if err := coldStart(t.Context(), append(tracer, bash, filepath.Join(folder, "bootstrap")), folder, asArgument); err != nil {
					t.Fatalf("%s: %v", tracer[0], err)
				}
				files, _ := filepath.Glob(output + "*")
				for _, file := range files {
					for address := range addresses(t, file) {
						for _, name := range names.at(address) {
							found[name] = true
						}
					}
					os.Remove(file)
				}
			}
		}
	}
	order := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	if err := os.WriteFile("order.txt", []byte(order), 0o644); err != nil {
		t.Fatal(err)
	}
}

// symbols lists the functions and constants of a program by address.
type symbols []symbol

type symbol struct {
	low, high uint64
	section   string // its section in the object file
}

// readSymbols reads the symbols of sections that are not written to. A symbol without a size ends where the next
// one begins. Musl's functions in assembly and the jump targets of split functions have no size.
func readSymbols(file string) (symbols, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	var all symbols
	for _, s := range table {
		if s.Section == elf.SHN_UNDEF || int(s.Section) >= len(f.Sections) || s.Name == "" || strings.HasPrefix(s.Name, "$") {
			continue
		}
		in := f.Sections[s.Section]
		prefix, _, _ := strings.Cut(strings.TrimPrefix(in.Name, "."), ".")
		if in.Flags&elf.SHF_WRITE != 0 || prefix != "text" && prefix != "rodata" {
			continue
		}
		all = append(all, symbol{s.Value, s.Value + s.Size, "." + prefix + "." + pattern(s.Name)})
	}
	slices.SortFunc(all, func(a, b symbol) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(b.high, a.high)) })
	for i := range all {
		if all[i].high == all[i].low && i+1 < len(all) {
			all[i].high = all[i+1].low
		}
	}
	return all, nil
}

// numbered matches the numbers that the compiler puts into names. They change when other code changes.
var numbered = regexp.MustCompile(`(__|\.|_)[0-9]+`)

// pattern returns a name as the linker matches it, with a wildcard for numbers that have no meaning. If symbols are
// stripped, Zig's own functions, whose names have dots, are called .LNAME.
func pattern(name string) string {
	if strings.HasPrefix(name, "OUTLINED_FUNCTION_") {
		return "OUTLINED_FUNCTION_*"
	}
	name = numbered.ReplaceAllString(name, "${1}*")
	if strings.Contains(strings.Trim(name, "."), ".") {
		return "*" + name
	}
	return name
}

// at returns the sections of the symbols at an address. With aliases there are several.
func (s symbols) at(address uint64) (names []string) {
	i, _ := slices.BinarySearchFunc(s, address+1, func(x symbol, a uint64) int { return cmp.Compare(x.low, a) })
	for i--; i >= 0 && address-s[i].low < largest; i-- {
		if address < s[i].high {
			names = append(names, s[i].section)
		} else if len(names) > 0 && s[i].low != s[i+1].low {
			break
		}
	}
	return names
}

// largest is more than the size of any function or constant, in bytes.
const largest = 64 << 10

// tracersOf returns commands that run a program and write what it does to files whose names start with output. They
// write as they go, because the program is killed in the end. Valgrind runs programs of this machine only. The
// command valgrind is a shell script, which sets PWD, so Bash need not look up its folder.
func tracersOf(t *testing.T, a arm.Architecture, output string) [][]string {
	t.Helper()
	machine := map[arm.Architecture]string{arm.X8664: "x86_64", arm.ARM64: "aarch64"}[a]
	all := [][]string{{need.Tool(t, "qemu-"+machine+"-static", "qemu-"+machine), "-d", "in_asm", "-D", output}}
	if a == arm.Host() {
		all = append(all, []string{need.Tool(t, "valgrind"), "-q", "--tool=lackey", "--trace-mem=yes", "--log-file=" + output + ".%p"})
	}
	return all
}

// addresses reads a trace, of either tracer: "I  04001000,3", " L 04001000,8" (Valgrind), "0x00401000:  ..." (qemu).
func addresses(t *testing.T, file string) map[uint64]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[uint64]bool{}
	in := bufio.NewScanner(f)
	for in.Scan() {
		line := in.Text()
		var digits string
		switch {
		case strings.HasPrefix(line, "0x"):
			digits, _, _ = strings.Cut(line[2:], ":")
		case strings.HasPrefix(line, "I  "), strings.HasPrefix(line, " L "):
			digits, _, _ = strings.Cut(line[3:], ",")
		}
		if address, err := strconv.ParseUint(digits, 16, 64); err == nil {
			seen[address] = true
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return seen
}

// Payloads of the one event: the shortest, and one as API Gateway sends it, for which Bash does more.
const (
	short = "{}"
	long  = `{"version":"2.0","routeKey":"$default","rawPath":"/hello","rawQueryString":"","headers":{"accept":"application/json",` +
		`"content-type":"text/plain; charset=utf-8","user-agent":"curl/8.5"},"requestContext":{"http":{"method":"POST","path":"/hello"},` +
		`"stage":"$default","timeEpoch":1795271814700},"body":"h\u00e9llo, \"world\"","isBase64Encoded":false}`
)

// coldStart runs a bootstrap until it asks for its second event. The handler's name is an argument, as in an image,
// or in the environment, as in a ZIP.
func coldStart(ctx context.Context, argv []string, folder string, asArgument bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := api.Configuration{Name: "order", Version: "$LATEST", Handler: "handler.run", MemorySizeMB: 1024, LogGroup: "/aws/lambda/order",
		Environment: map[string]string{"LAMBDA_TASK_ROOT": folder}}
	payload := long
	if asArgument {
		argv = append(argv, c.Handler)
		c.Handler, payload = "", short
	}
	server, err := conformance.Listen(conformance.Event{Body: payload, Header: map[string]string{"Trace-Id": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"}})
	if err != nil {
		return err
	}
	defer server.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr // and no Dir: Go would set PWD, which Lambda does not
	cmd.Env = lab.Variables(c, nil, server.Address(), "order")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		usage.Kill(cmd.Process.Pid)
		_ = cmd.Wait()
	}()
	select {
	case <-server.Idle():
	case <-ctx.Done():
		return fmt.Errorf("no second GET /next: %w; it asked %v", ctx.Err(), server.Requests())
	}
	time.Sleep(time.Second / 2) // until both shells wait
	return nil
}
