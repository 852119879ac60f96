// Order writes order.txt: which functions and constants of Bash a cold start uses, for the linker to lay together.
//
//	order -o runtime/staticbash/order.txt FOLDER BASH...
//
// FOLDER is an unpacked package of the arm bashtcp-static. Each BASH is one that recipe.sh has built with an empty STRIP, so that it has
// its symbols, for one architecture. It runs from the start to the second GET /next, the forked worker included: once with
// the handler's name in the environment, as in a ZIP, and once with it as an argument, as in an image. It runs under
// qemu-user and, if it is one of this machine, under Valgrind as well, which tells which constants are read. A name is taken if any used it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
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
	var all []used
	for _, bash := range flags.Args()[1:] {
		if bash, err = filepath.Abs(bash); err != nil {
			return err
		}
		names, err := readSymbols(bash)
		if err != nil {
			return fmt.Errorf("reading the symbols of %s: %w", bash, err)
		}
		var found sections
		for _, asArgument := range []bool{false, true} {
			if err := trace(ctx, bash, folder, asArgument, func(address uint64) { found.add(names.at(address)) }); err != nil {
				return fmt.Errorf("tracing a cold start of %s: %w", bash, err)
			}
		}
		all = append(all, found.ranked()...)
	}
	return os.WriteFile(*out, []byte(lines(all)), 0o644)
}

// used is a section that a cold start uses; rank is when it first does, from 0 to 1.
type used struct {
	section string
	rank    float64
}

// lines are the sections, functions before constants. What is used first comes last: Linux reads ahead on both sides of a page, and what is in
// front of the first section is not needed.
func lines(all []used) string {
	slices.SortStableFunc(all, func(a, b used) int {
		return cmp.Or(-strings.Compare(a.kind(), b.kind()), cmp.Compare(b.rank, a.rank))
	})
	var out strings.Builder
	seen := map[string]bool{}
	for _, u := range all {
		if !seen[u.section] {
			seen[u.section] = true
			out.WriteString(u.section + "\n")
		}
	}
	return out.String()
}

func (u used) kind() string { return u.section[:len(".text")] }

// sections are names of sections as compilers make them for a function or a constant of its own, in the order of first use.
type sections struct {
	names []string
	seen  map[string]bool
}

func (s *sections) add(names []string) {
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	for _, name := range names {
		if !s.seen[name] {
			s.seen[name] = true
			s.names = append(s.names, name)
		}
	}
}

// ranked are the sections with what has no name: the C library's assembly, and what Zig's compiler has cut out of its own functions.
func (s *sections) ranked() []used {
	all := []used{{".text", 0}, {".text.OUTLINED_FUNCTION_*", 0}}
	for i, name := range s.names {
		all = append(all, used{name, float64(i) / float64(len(s.names))})
	}
	return all
}
