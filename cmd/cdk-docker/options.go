package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// parse reads a verb's options and arguments as docker does, anywhere between each other, into the fields of a struct. Docker has more
// options.
func parse(verb string, into any, args []string) error {
	parser, err := kong.New(into, kong.Name(verb), kong.NoDefaultHelp())
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		if flag, unknown := strings.CutPrefix(err.Error(), "unknown flag "); unknown {
			flag, _, _ = strings.Cut(flag, ",") // what kong takes it for
			return usagef("%s: %s needs Docker", verb, flag)
		}
		return usagef("%s: %v", verb, err)
	}
	return nil
}

// names reads the arguments of a verb without options.
func names(verb string, args []string) ([]string, error) {
	var o struct {
		Names []string `arg:"" optional:"" sep:"none"`
	}
	err := parse(verb, &o, args)
	return o.Names, err
}
