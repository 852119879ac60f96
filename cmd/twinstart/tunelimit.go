package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/twinstart/twinstart/bench/measure/power"
)

// bestMoved is the one expression of tune's --fail-on.
var bestMoved = regexp.MustCompile(`^best moved(?:>([0-9.]+)%)?$`)

// limit reads --fail-on, a margin in percent or below 0 for none, and the power value of --against, 0 for none.
func (c *tuneCommand) limit() (margin float64, old int, err error) {
	if c.FailOn == "" {
		if c.Against != "" {
			err = fmt.Errorf("--against has no effect without --fail-on 'best moved'")
		}
		return -1, 0, err
	}
	m := bestMoved.FindStringSubmatch(c.FailOn)
	if m == nil {
		return 0, 0, fmt.Errorf("--fail-on %q: use 'best moved' or 'best moved>5%%'", c.FailOn)
	}
	if m[1] != "" {
		if margin, err = strconv.ParseFloat(m[1], 64); err != nil {
			return 0, 0, fmt.Errorf("--fail-on %q: %w", c.FailOn, err)
		}
	}
	if c.Against == "" {
		return margin, 0, nil
	}
	text, err := os.ReadFile(c.Against)
	if err != nil {
		return 0, 0, fmt.Errorf("--against: %w", err)
	}
	var earlier struct{ Power int }
	if json.Unmarshal(text, &earlier) != nil || earlier.Power == 0 {
		return 0, 0, fmt.Errorf("--against %s: it is not a result of --json of one function: it has no power", c.Against)
	}
	return margin, earlier.Power, nil
}

// judge says whether the best power value of each function is another than it was.
func (c *tuneCommand) judge(out *power.Sweep, margin float64, old int, io streams) error {
	if margin < 0 {
		return nil
	}
	failed := false
	for _, o := range out.Functions {
		before := cmp.Or(old, o.Memory)
		moved, by, err := o.Moved(before)
		if err != nil {
			return fmt.Errorf("--fail-on: %s: %w", o.Title(), err)
		}
		if moved && by > margin {
			failed = true
			fmt.Fprintf(io.err, "twinstart: failed: best moved: %s from %d to %d MB, %.1f %% better by %s\n", o.Title(), before, o.Power, by, o.Strategy)
		}
	}
	if failed {
		return errFinding
	}
	return nil
}
