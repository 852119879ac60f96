package main

import (
	"cmp"
	"fmt"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
)

// maxListing bounds a listing: far more than handlers/inspect returns.
const maxListing = 6 << 20

// compareRoots prints the differences between a listing and the lab on this machine.
func compareRoots(std streams, name string) error {
	text, err := readInput(name, maxListing)
	if err != nil {
		return fmt.Errorf("reading a listing: %w", err)
	}
	listing, err := root.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	here, err := lab.Inspect(lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	if err != nil {
		return err
	}
	differ := root.Compare(listing, here)
	unexplained := 0
	for _, d := range differ {
		state, reason := without, " ("+d.Reason+")"
		if d.Reason == "" {
			state, reason, unexplained = needed, "", unexplained+1
		}
		there, here := cmp.Or(d.Lambda, "nothing"), cmp.Or(d.Lab, "nothing")
		fmt.Fprintf(std.out, "%s  %s: %s on Lambda, %s in the lab%s\n", state, d.Name, there, here, reason)
	}
	fmt.Fprintf(std.out, "%d facts on Lambda, %d in the lab: %d differ, %d of them for no known reason\n",
		len(listing), len(here), len(differ), unexplained)
	if unexplained > 0 {
		return errFinding
	}
	return nil
}
