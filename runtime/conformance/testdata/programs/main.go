// Programs are the few that handlers of the tables call, for a root that has none: cat, sleep and touch, by the name that it is called.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, args []string) error {
	for _, arg := range args {
		switch name {
		case "sleep":
			d, err := time.ParseDuration(arg + "s")
			if err != nil {
				return err
			}
			time.Sleep(d)
		case "touch":
			f, err := os.OpenFile(arg, os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			f.Close()
		default:
			return fmt.Errorf("%s takes no arguments", name)
		}
	}
	if name == "cat" {
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	}
	return nil
}
