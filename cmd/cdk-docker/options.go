package main

import (
	"flag"
	"io"
	"strings"
)

// options reads an instruction's options as docker does: anywhere between the arguments, with one dash or two.
type options struct {
	verb string
	set  *flag.FlagSet
}

func newOptions(verb string) *options {
	o := &options{verb, flag.NewFlagSet(verb, flag.ContinueOnError)}
	o.set.SetOutput(io.Discard)
	o.set.Usage = func() {}
	return o
}

// parse returns the arguments that are no options.
func (o *options) parse(args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := o.set.Parse(args); err != nil {
			return nil, usagef("%s: %s: needs Docker", o.verb, err)
		}
		after := o.set.Args()
		if len(after) == 0 {
			break
		}
		if consumed := len(args) - len(after); consumed > 0 && args[consumed-1] == "--" {
			return append(rest, after...), nil
		}
		rest, args = append(rest, after[0]), after[1:]
	}
	return rest, nil
}

// text is an option by its long name and, unless empty, its letter.
func (o *options) text(name, letter string) *string {
	value := o.set.String(name, "", "")
	if letter != "" {
		o.set.StringVar(value, letter, "", "")
	}
	return value
}

// list is an option that may be given several times.
func (o *options) list(name, letter string) *list {
	value := &list{}
	o.set.Var(value, name, "")
	if letter != "" {
		o.set.Var(value, letter, "")
	}
	return value
}

// ignored are options that take a value and make no difference to an image that is only copied together.
func (o *options) ignored(names ...string) {
	for _, name := range names {
		o.set.Var(&list{}, name, "")
	}
}

// ignoredSwitches are the same without a value.
func (o *options) ignoredSwitches(names ...string) {
	for _, name := range names {
		o.set.Bool(name, false, "")
	}
}

type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}
