package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
)

// maxListing is far more than handlers/inspect answers.
const maxListing = 6 << 20

// compareRoots names what differs between a listing and the lab on this machine.
func compareRoots(ctx context.Context, io streams, name string) error {
	text, err := readInput(name, maxListing)
	if err != nil {
		return fmt.Errorf("reading a listing: %w", err)
	}
	listing, err := root.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	here, err := lab.Inspect(ctx, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	if err != nil {
		return err
	}
	differ := root.Published().Compare(listing, here)
	unexplained := 0
	for _, d := range differ {
		state := without
		if d.Reason == "" {
			state, unexplained = needed, unexplained+1
		}
		fmt.Fprintf(io.out, "%s  %s: %s there, %s in the lab", state, d.Name, said(d.Lambda), said(d.Lab))
		if d.Reason != "" {
			fmt.Fprintf(io.out, " (%s)", d.Reason)
		}
		fmt.Fprintln(io.out)
	}
	fmt.Fprintf(io.out, "%d facts there, %d in the lab: %d differ, %d of them for no reason that is known\n", len(listing), len(here), len(differ), unexplained)
	if unexplained > 0 {
		return errFinding
	}
	return nil
}

func said(value string) string { return cmp.Or(value, "nothing") }
