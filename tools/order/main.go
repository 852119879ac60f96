// Order writes order.txt: the functions and constants of Bash that a cold start uses. The linker puts them
// together.
//
//	order -o packages/staticbash/order.txt FOLDER BASH...
//
// FOLDER is an unpacked package of the arm bashtcp-static. Each BASH was built by recipe.sh with STRIP=-g, so that
// it has its symbols, for one architecture. It runs from the start to the second GET /next, including the forked
// worker: once with the handler's name in the environment, as in a ZIP, and once as an argument, as in an image. It
// runs under qemu-user and, if it is for this machine, also under Valgrind, which sees which constants are read. A
// name is in the result if any of these runs used it.
package main

import (
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "order: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("order", flag.ExitOnError)
	out := flags.String("o", "order.txt", "the order")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 2 {
		return errors.New("want a folder and a Bash for each architecture: see the command's documentation")
	}
	folder, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return err
	}
	// These have no names: assembly of the C library, and parts that Zig's compiler has cut out of its own
	// functions.
	found := map[string]bool{".text": true, ".text.OUTLINED_FUNCTION_*": true}
	for _, bash := range flags.Args()[1:] {
		if bash, err = filepath.Abs(bash); err != nil {
			return err
		}
		names, err := readSymbols(bash)
		if err != nil {
			return fmt.Errorf("reading the symbols of %s: %w", bash, err)
		}
		for _, asArgument := range []bool{false, true} {
			if err := trace(ctx, bash, folder, asArgument, func(address uint64) {
				for _, name := range names.at(address) {
					found[name] = true
				}
			}); err != nil {
				return fmt.Errorf("tracing a cold start of %s: %w", bash, err)
			}
		}
	}
	return os.WriteFile(*out, []byte(strings.Join(slices.Sorted(maps.Keys(found)), "\n")+"\n"), 0o644)
}

// symbols lists the functions and constants of a program by address.
type symbols []symbol

type symbol struct {
	low, high uint64
	section   string // its section in the object file
}

// readSymbols reads the symbols of sections that are not written to. A symbol without a size ends where the next
// one begins. Such are musl's functions in assembly, and the jump targets of functions that were split.
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

// numbered matches endings that change when the compiler changes something else.
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
