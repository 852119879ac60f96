// Order writes order.txt: which functions and constants of Bash a cold start uses, for the linker to bring together.
//
//	order -o packages/staticbash/order.txt FOLDER BASH...
//
// FOLDER is an unpacked package of the arm bashtcp-static. Each BASH is one that recipe.sh has built with STRIP=-g, so that it has
// its symbols, for one architecture. It runs from the start to the second GET /next, the forked worker included: once with
// the handler's name in the environment, as in a ZIP, and once with it as an argument, as in an image. It runs under
// qemu-user and, if it is one of this machine, under Valgrind as well, which tells which constants are read. A name is taken if any used it.
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
	// Without a name: the C library's assembly, and what Zig's compiler has cut out of its own functions.
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

// symbols are the functions and constants of a program by address.
type symbols []symbol

type symbol struct {
	low, high uint64
	section   string // in the object file that it came from
}

// readSymbols reads those in sections that are not written to. A symbol without a size ends where the next one begins: musl's functions in
// assembly, and what a function jumps to when it is split.
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

// numbered are endings that change with the compiler's other work.
var numbered = regexp.MustCompile(`(__|\.|_)[0-9]+`)

// pattern is a name as the linker matches it: numbers that say nothing are left open. Zig's own functions, which have dots in their names, are
// called .LNAME where symbols are stripped.
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

// at are the sections of what lies at an address, which has several names where it has aliases.
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

// largest is more than any function or constant has, in bytes.
const largest = 64 << 10
