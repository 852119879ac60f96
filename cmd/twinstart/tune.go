package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/bench/show/tuning"
	"github.com/twinstart/twinstart/packages/archive"
)

// tuneCommand finds the best memory size of a function. It takes the input of AWS Lambda Power Tuning.
type tuneCommand struct {
	assemblyFlags
	labFlags
	inputFlags
	Source   record.Source `enum:"lab,aws," default:"" placeholder:"WHERE"`
	Function []string      `placeholder:"F"`
	Parallel int           `placeholder:"N"`
	Prices   string        `placeholder:"FILE"`
	Out      string        `placeholder:"DIR"`
	FailOn   *moved        `placeholder:"EXPR"`
	Seed     uint32
	JSON     string `name:"json" placeholder:"FILE"`
	HTML     string `name:"html" placeholder:"FILE"`
	DryRun   bool
	Clean    bool
}

// Run tunes, or does what --clean or --dry-run asks for.
func (c *tuneCommand) Run(ctx context.Context, std streams) error {
	c.Source = c.where()
	data, err := c.document()
	if err != nil {
		return err
	}
	from, candidates, err := c.open(ctx, data, std)
	if err != nil {
		return err
	}
	defer from.close() //nolint:errcheck // the result was printed before
	std.warn(from.warnings...)
	candidates[0].Input.Warnings = append(candidates[0].Input.Warnings, from.warnings...) // for run.json and results
	t, err := c.tuner(ctx, from)
	if err != nil {
		return err
	}
	switch {
	case c.Clean:
		return c.clean(ctx, t, candidates, std)
	case c.DryRun:
		says, err := t.Estimate(ctx, candidates, "cli-"+rand.Text())
		fmt.Fprint(std.out, says)
		return err
	}
	out, err := c.tune(ctx, t, candidates, std)
	if errors.Is(err, power.ErrNothingMeasured) {
		return fmt.Errorf("%w: %w", errIncomplete, err)
	}
	if err != nil {
		return err
	}
	if err := cmp.Or(c.write(out, std), c.judge(out, std)); err != nil {
		return err
	}
	if failed := out.AllFailed(); len(failed) > 0 {
		return fmt.Errorf("%w: %s", errIncomplete, strings.Join(failed, "; "))
	}
	return nil
}

func (c *tuneCommand) tune(ctx context.Context, t *power.Tuner, candidates []power.Candidate, std streams) (
	*power.Sweep, error) {
	total := 0
	for _, candidate := range candidates {
		in := candidate.Input
		total += len(in.PowerValues) * in.Num
		if !in.OnlyColdStarts {
			total += len(in.PowerValues)
		}
	}
	bar := newPhase(std.err, "tuning", total)
	t.Observe = func(phase, function string, power int) {
		bar.add(fmt.Sprintf("%s %d MB %s", phase, power, function), 1)
	}
	id := "cli-" + rand.Text()
	journal, err := c.openJournal(t, id, std)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	if journal != nil {
		defer journal.close()
		t.Records = journal.records
	}
	out, err := t.Sweep(ctx, candidates, id)
	if bar.finish(); journal == nil {
		return out, err
	}
	var outcome measure.Outcome
	if ctx.Err() != nil {
		outcome.Warnings = []string{"the tuning was interrupted"}
	}
	if out != nil {
		journal.run.Seed = uint64(out.Functions[0].Seed)
		for _, o := range out.Functions {
			outcome.Warnings = append(outcome.Warnings, o.Warnings...)
		}
	}
	return out, errors.Join(err, journal.finish(outcome))
}

// openJournal starts the tuning's files, if --out asks for them. It moves an earlier run in the same folder aside.
func (c *tuneCommand) openJournal(t *power.Tuner, id string, std streams) (*journal, error) {
	if c.Out == "" {
		return nil, nil
	}
	return openJournal(c.Out, func(j *journal) error {
		j.run = &runfile.Run{RunID: id, Source: c.Source, Region: t.Region, StartedAt: time.Now().UTC(),
			Command: append([]string{"twinstart"}, os.Args[1:]...), Versions: versions(), Machine: runfile.ThisMachine()}
		return moveAside(c.Out, std.err)
	})
}

func (c *tuneCommand) clean(ctx context.Context, t *power.Tuner, candidates []power.Candidate, std streams) error {
	for _, candidate := range candidates {
		found, err := t.Clean(ctx, candidate.Input)
		if err != nil {
			return err
		}
		says := map[bool]string{true: "is again as it was before its tuning", false: "has nothing left from a tuning"}[found]
		fmt.Fprintln(std.out, candidate.Input.Function, says)
	}
	return nil
}

// write writes the result in the requested forms: as text unless JSON goes to standard output.
func (c *tuneCommand) write(out *power.Sweep, std streams) error {
	var document any = out
	if len(out.Functions) == 1 && len(out.Failed) == 0 {
		document = out.Functions[0] // Power Tuning's own form
	}
	var err error
	if c.JSON != "-" {
		err = out.WriteText(std.out)
	}
	if err == nil && c.JSON != "" {
		err = std.write(c.JSON, func(w io.Writer) error { return table.JSON(w, document) })
	}
	if err == nil && c.HTML != "" {
		err = archive.Replace(c.HTML, 0o644, func(w io.Writer) error { return tuning.Write(w, out) })
	}
	return err
}

// bestMoved matches the only expression that tune's --fail-on takes.
var bestMoved = regexp.MustCompile(`^best moved(?:>([0-9.]+)%)?$`)

// moved is a limit of --fail-on: by how many percent another power value is better than the function's memory.
type moved float64

// UnmarshalText reads 'best moved', which is 0 %, or 'best moved>5%'.
func (m *moved) UnmarshalText(text []byte) error {
	found := bestMoved.FindSubmatch(text)
	if found == nil {
		return fmt.Errorf("%q: use 'best moved' or 'best moved>5%%'", text)
	}
	percent, err := strconv.ParseFloat(cmp.Or(string(found[1]), "0"), 64)
	*m = moved(percent)
	return err
}

// judge returns errFinding if the best power value of a function moved by more than --fail-on.
func (c *tuneCommand) judge(out *power.Sweep, std streams) (err error) {
	if c.FailOn == nil {
		return nil
	}
	for _, o := range out.Functions {
		moved, by, unknown := o.Moved()
		if unknown != nil {
			return fmt.Errorf("--fail-on: %s: %w", o.Title(), unknown)
		}
		if moved && by > float64(*c.FailOn) {
			err = errFinding
			fmt.Fprintf(std.err, "twinstart: failed: best moved: %s from %d to %d MB, %.1f %% better by %s\n",
				o.Title(), o.Memory, o.Power, by, o.Strategy)
		}
	}
	return err
}
