package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	goio "io"
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
	Source   record.Source `enum:"lab,aws," default:"" placeholder:"WHERE" help:"Where the function runs: lab (this machine) or aws (deployed). By default aws for an ARN, and where there is neither a package nor an assembly."`
	Function []string      `placeholder:"F" help:"Function: an arm such as rawtcp/zip, a name or an ARN; the input's lambdaARN by default. Several times, or a glob of arms such as 'rawtcp*/*': all are tuned together and compared."`
	Parallel int           `placeholder:"N" help:"Invocations at once on AWS; by default one of each power value, as far as the account's concurrency goes. In the lab it is one: they would share this machine."`
	Prices   string        `placeholder:"FILE" help:"Prices in place of the built-in list, in the form of bench/report/price/prices.json."`
	Out      string        `placeholder:"DIR" help:"Folder for a record of each invocation, and run.json: report, compare and plan read them."`
	FailOn   string        `placeholder:"EXPR" help:"Exit with status 1 where 'best moved' or 'best moved>5%' (by so much better): the best power value is not the function's memory."`
	Seed     uint32        `help:"Seed of the order of power values; drawn and printed by default."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the result, Power Tuning's output and more, to a file; - is standard output, in place of the table."`
	HTML     string        `name:"html" placeholder:"FILE" help:"Write the result as one self-contained page."`
	DryRun   bool          `help:"Say how many calls, how long and how much, and do nothing."`
	Clean    bool          `help:"Remove what a killed tuning left: versions, the changed memory."`
}

// Run tunes, or does what a flag asks for instead.
func (c *tuneCommand) Run(ctx context.Context, io streams) error {
	c.Source = c.where()
	data, err := c.document()
	if err != nil {
		return err
	}
	margin, err := c.margin()
	if err != nil {
		return err
	}
	from, candidates, err := c.open(ctx, data, io)
	if err != nil {
		return err
	}
	defer from.close() //nolint:errcheck // the result was printed before
	t, err := c.tuner(ctx, from)
	if err != nil {
		return err
	}
	switch {
	case c.Clean:
		return c.clean(ctx, t, candidates, io)
	case c.DryRun:
		says, err := t.Estimate(ctx, candidates, newTuningID())
		fmt.Fprint(io.out, says)
		return err
	}
	out, err := c.tune(ctx, t, candidates, io)
	if errors.Is(err, power.ErrNothingMeasured) {
		return fmt.Errorf("%w: %w", errIncomplete, err)
	}
	if err != nil {
		return err
	}
	if err := c.write(out, io); err != nil {
		return err
	}
	if err := c.judge(out, margin, io); err != nil {
		return err
	}
	if failed := out.AllFailed(); len(failed) > 0 {
		return fmt.Errorf("%w: %s", errIncomplete, strings.Join(failed, "; "))
	}
	return nil
}

// newTuningID returns a new ID for a tuning.
func newTuningID() string { return "cli-" + rand.Text() }

func (c *tuneCommand) tune(ctx context.Context, t *power.Tuner, candidates []power.Candidate, io streams) (*power.Sweep, error) {
	total := 0
	for _, candidate := range candidates {
		in := candidate.Input
		total += len(in.PowerValues) * in.Num
		if !in.OnlyColdStarts {
			total += len(in.PowerValues)
		}
	}
	bar := newPhase(io.err, "tuning", total)
	t.Observe = func(phase, function string, power int) {
		bar.step(fmt.Sprintf("%s %d MB %s", phase, power, function))
	}
	id := newTuningID()
	journal, err := c.openJournal(t, id, io)
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
func (c *tuneCommand) openJournal(t *power.Tuner, id string, io streams) (*journal, error) {
	if c.Out == "" {
		return nil, nil
	}
	return openJournal(c.Out, func(j *journal) error {
		j.run = &runfile.Run{RunID: id, Source: c.Source, Region: t.Region, StartedAt: time.Now().UTC(),
			Command: append([]string{"twinstart"}, os.Args[1:]...), Versions: versions(), Machine: runfile.ThisMachine()}
		return moveAside(c.Out, io.err)
	})
}

func (c *tuneCommand) clean(ctx context.Context, t *power.Tuner, candidates []power.Candidate, io streams) error {
	for _, candidate := range candidates {
		found, err := t.Clean(ctx, candidate.Input)
		if err != nil {
			return err
		}
		says := map[bool]string{true: "is as it was before its tuning", false: "holds nothing of a tuning"}[found]
		fmt.Fprintln(io.out, candidate.Input.Function, says)
	}
	return nil
}

// write writes the result in the requested forms: as text unless JSON goes to standard output.
func (c *tuneCommand) write(out *power.Sweep, io streams) error {
	var document any = out
	if len(out.Functions) == 1 && len(out.Failed) == 0 {
		document = out.Functions[0] // Power Tuning's own form
	}
	var err error
	if c.JSON != "" {
		err = io.write(c.JSON, func(w goio.Writer) error { return table.JSON(w, document) })
	}
	if err == nil && c.JSON != "-" {
		err = out.WriteText(io.out)
	}
	if err == nil && c.HTML != "" {
		err = archive.Replace(c.HTML, 0o644, func(w goio.Writer) error { return tuning.Write(w, out) })
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// bestMoved is the one expression of tune's --fail-on.
var bestMoved = regexp.MustCompile(`^best moved(?:>([0-9.]+)%)?$`)

// margin returns the limit of --fail-on in percent; -1 if no limit was given.
func (c *tuneCommand) margin() (percent float64, err error) {
	if c.FailOn == "" {
		return -1, nil
	}
	if m := bestMoved.FindStringSubmatch(c.FailOn); m != nil {
		percent, err = strconv.ParseFloat(cmp.Or(m[1], "0"), 64)
	} else {
		err = errors.New("use 'best moved' or 'best moved>5%'")
	}
	if err != nil {
		return 0, fmt.Errorf("--fail-on %q: %w", c.FailOn, err)
	}
	return percent, nil
}

// judge returns errFinding if the best power value of a function moved by more than margin.
func (c *tuneCommand) judge(out *power.Sweep, margin float64, io streams) (err error) {
	if margin < 0 {
		return nil
	}
	for _, o := range out.Functions {
		moved, by, unknown := o.Moved()
		if unknown != nil {
			return fmt.Errorf("--fail-on: %s: %w", o.Title(), unknown)
		}
		if moved && by > margin {
			err = errFinding
			fmt.Fprintf(io.err, "twinstart: failed: best moved: %s from %d to %d MB, %.1f %% better by %s\n", o.Title(), o.Memory,
				o.Power, by, o.Strategy)
		}
	}
	return err
}
