package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/lab"
)

// doctorCommand checks this machine and the AWS account.
type doctorCommand struct {
	Local   bool
	Prepare []string `placeholder:"RUNTIME"`
	Root    string   `placeholder:"LISTING"`
}

// finding is the result of one check.
type finding struct {
	state  state
	what   string
	detail string // what was found, or how to get it
}

type state string

const (
	fine    state = "ok"
	without state = "--"
	needed  state = "!!"
)

// Run prints a line for each check.
func (c *doctorCommand) Run(ctx context.Context, std streams) error {
	if c.Root != "" {
		return compareRoots(std, c.Root)
	}
	if len(c.Prepare) > 0 {
		return c.prepare(ctx, std)
	}
	found := local(ctx)
	if !c.Local {
		found = append(found, accountFindings(ctx)...)
	}
	var bad error
	checks := table.Table{Heads: table.Heads(3, "", "", "")}
	for _, f := range found {
		checks.Add(string(f.state), f.what, f.detail)
		if f.state == needed {
			bad = errFinding
		}
	}
	fmt.Fprint(std.out, checks.Text(0))
	return bad
}

// prepare makes stand-ins for managed runtimes. If one fails, the others are still made.
func (c *doctorCommand) prepare(ctx context.Context, std streams) error {
	var failures []error
	for _, name := range c.Prepare {
		r, err := lab.PrepareRuntime(ctx, name, std.err)
		if err == nil {
			fmt.Fprintf(std.out, "%s  %s: %s, in %s\n", fine, name, r.Label, r.Dir)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// lookTime limits the time of the checks that run programs or call AWS.
const lookTime = 30 * time.Second

// oneLine returns the first line that is not empty.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}
