package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe"
)

// packageCounter starts packages to count the KiB that they read, of their own files and of the base's, and their CPU
// time. Predictions and comparisons use these counts. If counting is impossible, they use the measured starts, and a
// warning says so.
//
// A count depends on content alone, so the user's cache keeps it.
type packageCounter struct {
	ctx     context.Context
	std     streams
	options probe.Options

	prober *probe.Prober
	warned map[string]bool
	counts map[string]*counts.Counts // by key; nil means not counted
}

func newPackageCounter(ctx context.Context, flags labFlags, event []byte, std streams) *packageCounter {
	return &packageCounter{ctx: ctx, std: std, warned: map[string]bool{}, counts: map[string]*counts.Counts{},
		options: probe.Options{BaseRoot: flags.BaseRoot, Event: event, ReadAheads: []int{flags.ReadAhead}}}
}

func (c *packageCounter) close() {
	if c.prober != nil {
		c.prober.Close()
	}
}

// all counts the packages that the lab will run, one at a time, so that they do not disturb each other.
func (c *packageCounter) all(functions []assembly.Function) {
	of := map[string]assembly.Function{}
	for _, f := range functions {
		if !f.Managed() && f.Architecture == arm.Host() {
			of[c.key(f)] = f
		}
	}
	bar := newPhase(c.std.err, "counting the reads of "+report.Plural(len(of), "package"), len(of))
	defer bar.finish()
	for key, f := range of {
		if c.ctx.Err() != nil {
			return
		}
		var err error
		if c.counts[key], err = c.cached(key, f); errors.Is(err, sandbox.ErrNamespaces) {
			return // nothing can run here; the lab reports that
		}
		if err != nil && c.ctx.Err() == nil && !c.warned[err.Error()] { // each reason once, not once for each arm
			c.warned[err.Error()] = true
			c.std.warn(fmt.Sprintf("%s: its reads and CPU could not be counted in a separate start: %v", f.Identity.Arm, err))
		}
		bar.add(f.Identity.Arm, 1)
	}
}

// count is a lab.Count.
func (c *packageCounter) count(f assembly.Function) *counts.Counts { return c.counts[c.key(f)] }

func (c *packageCounter) measure(f assembly.Function) (*counts.Counts, error) {
	pkg, err := probe.Of(f)
	if err != nil {
		return nil, err
	}
	if c.prober == nil {
		if c.prober, err = probe.New(c.options); err != nil {
			return nil, err
		}
	}
	r, err := c.prober.Measure(c.ctx, pkg)
	if err != nil {
		return nil, err
	}
	return r.Counts()
}

// key is a hash of everything that a count depends on: the package, how it is started, its base, and this program. The
// memory size is not part of it.
func (c *packageCounter) key(f assembly.Function) string {
	h := sha256.New()
	digest := cmp.Or(digestOf(f), f.Package)
	fmt.Fprintf(h, "%s\n%s %s %q %q %v\n%q %v\n%q\n%q\n", countedBy(), digest, f.PackageType, f.Dockerfile, f.Handler,
		f.ImageConfig, f.Identity.Payload(c.options.Event), c.options.ReadAheads, c.options.BaseRoot, f.Environment)
	// These files represent the base: the loader's cache changes whenever a library does.
	for _, name := range []string{"etc/ld.so.cache", "bin/bash", "usr/bin/curl"} {
		if info, err := os.Stat(filepath.Join("/", c.options.BaseRoot, name)); err == nil {
			fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// countedBy is the digest of this program, because another version may count differently.
var countedBy = sync.OnceValue(func() string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	digest, _ := archive.FileDigest(program) // "" if it cannot be read
	return digest
})

// cached returns the count that the user's cache has for a key. If it has none, cached counts the reads of the package
// and stores the count. If the count cannot be stored, the next run counts again.
func (c *packageCounter) cached(key string, f assembly.Function) (counted *counts.Counts, err error) {
	file, unusable := archive.Cache("counts", key+".json")
	if unusable != nil || countedBy() == "" {
		return c.measure(f)
	}
	if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &counted) == nil {
		return counted, nil
	}
	if counted, err = c.measure(f); err != nil {
		return nil, err
	}
	if text, err := json.Marshal(counted); err == nil && os.MkdirAll(filepath.Dir(file), 0o755) == nil {
		_ = archive.ReplaceFile(file, 0o644, text)
	}
	return counted, nil
}
