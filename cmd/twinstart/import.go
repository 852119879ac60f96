package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/importer"
)

// importCommand turns logs and published figures into records.
type importCommand struct {
	armFlags
	Format    string   `default:"logs" enum:"logs,lambda-perf,power-tuning,init-stats,ab"`
	Arm       string   `placeholder:"NAME"`
	Published string   `placeholder:"TEXT"`
	Files     []string `arg:""`
}

func (c *importCommand) Run(ctx context.Context, std streams) error {
	out := bufio.NewWriter(std.out)
	w := record.NewWriter(out)
	for _, name := range c.Files {
		if err := c.file(ctx, w, name, std.err); err != nil {
			return errors.Join(out.Flush(), err)
		}
	}
	return out.Flush()
}

// armFlags say about a function what logs do not say.
type armFlags struct {
	Region       string           `placeholder:"REGION"`
	Architecture arm.Architecture `default:"" enum:"arm64,x86_64," placeholder:"ARCH"`
}

func (f armFlags) options(name, published string) importer.Options {
	id := arm.Identity{Arm: name, Architecture: f.Architecture}
	return importer.Options{Identity: id, Region: f.Region, Published: published}
}

// maxNamed is how many unusable parts are named; the rest are counted.
const maxNamed = 20

func (c *importCommand) file(ctx context.Context, w *record.Writer, name string, messages io.Writer) error {
	in, err := openInput(name)
	if err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	defer in.Close()
	records := importer.Read(c.Format, record.Until(ctx, in), in.Name(), c.options(c.Arm, c.Published))
	_, err = copyRecords(w, records, name, messages)
	return err
}

// copyRecords writes records, and names the parts of their source that cannot be used. It returns how many it wrote.
func copyRecords(w *record.Writer, from iter.Seq2[*record.Record, error], name string, messages io.Writer) (
	n int, err error) {
	unusable := 0
	for r, err := range from {
		if _, part := errors.AsType[*record.LineError](err); part {
			if unusable++; unusable <= maxNamed {
				fmt.Fprintln(messages, "twinstart:", err)
			}
			continue
		}
		if err == nil {
			err = w.Write(*r)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	if unusable > maxNamed {
		fmt.Fprintf(messages, "twinstart: %s: %d more parts cannot be used\n", name, unusable-maxNamed)
	}
	return n, nil
}
