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
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
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
