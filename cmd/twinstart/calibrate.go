package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/packages/archive"
)

// calibrateCommand makes a model from the user's own AWS run.
type calibrateCommand struct {
	AWS  string `required:"" placeholder:"FILE"`
	Lab  string `required:"" placeholder:"FILE"`
	Out  string `short:"o" required:"" placeholder:"FILE"`
	Name string
}

// Run reads both files, fits a model, and prints how well each arm is predicted by the others.
func (c *calibrateCommand) Run(_ context.Context, std streams) error {
	observed := model.Observed{}
	for _, file := range []struct {
		flag, name string
		source     record.Source
	}{{"--aws", c.AWS, record.AWS}, {"--lab", c.Lab, record.Lab}} {
		if err := addRecords(observed, file.name, file.source, std); err != nil {
			return fmt.Errorf("reading %s: %w", file.flag, err)
		}
	}
	calibration, err := observed.Calibrate(cmp.Or(c.Name, c.AWS), model.Default())
	if err != nil {
		return fmt.Errorf("calibrating: %w", err)
	}
	if err := archive.Replace(c.Out, 0o644, func(w io.Writer) error { return table.JSON(w, calibration) }); err != nil {
		return fmt.Errorf("writing the model: %w", err)
	}
	for architecture, a := range calibration.Architectures {
		if a.Fit == nil {
			continue
		}
		f := a.Fit
		fmt.Fprintf(std.out, "%s: Init = %.2f ms + %.2f us per KiB read, %.0f-%.0f KiB, relative error %.1f %%, %d arms\n",
			architecture, f.InterceptMs, 1000*f.MsPerKiB, f.RangeKiB[0], f.RangeKiB[1], 100*f.RelativeError, len(f.Residuals))
		t := table.Table{Heads: table.Heads(1, "arm", "KiB read", "Init ms", "fitted", "left out")}
		for _, r := range f.Residuals {
			left, name := table.None, r.Name
			if r.LeftOut != nil {
				left = fmt.Sprintf("%.2f", *r.LeftOut)
			}
			if r.Apart {
				name += " (left out of the fit: far from the others' line, perhaps because of its CPU time)"
			}
			t.Add(name, fmt.Sprintf("%.0f", r.ReadKiB), fmt.Sprintf("%.2f", r.InitMs), fmt.Sprintf("%.2f", r.FittedMs), left)
		}
		fmt.Fprint(std.out, t.Text(0))
		if a.Image != nil {
			fmt.Fprintf(std.out, "  image = %.1f ms + %.3f x ZIP (%s)\n", a.Image.InterceptMs, a.Image.PerZipMs, a.Image.Source)
		}
	}
	return nil
}

// addRecords adds the records of one source from a file. It returns an error if the file has none: the two files are
// probably swapped.
func addRecords(to model.Observed, name string, want record.Source, std streams) error {
	found, other, unusable := 0, 0, 0
	err := record.Each(name, func(r *record.Record) {
		if r.Source != want {
			other++
			return
		}
		found++
		to.Add(r)
	}, func(err error) {
		if unusable++; unusable <= maxNamed {
			fmt.Fprintln(std.err, "warning:", err)
		}
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("%s has no record of source %s (%d of another): name the records of twinstart run --source %s",
			name, want, other, want)
	}
	return err
}
