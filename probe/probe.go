// Package probe measures one deployment package without an assembly: the KiB that a cold start reads of the package and
// of the base until GET /next and until the first response, and its CPU time in ms. KiB can be repeated exactly, times
// cannot.
//
// As root, each start has the package on a freshly mounted file system. A first start finds out which files of the base
// are opened, and later starts have these on a fresh file system too. Without root, the package is a folder that
// posix_fadvise makes cold, and the base is not counted.
package probe

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// Options say how to measure. A zero value means the default.
type Options struct {
	BaseRoot string // unpacked root file system of provided:al2023; "" uses this machine's /usr instead
	StateDir string // keeps prepared packages; "" means a temporary folder
	Rounds   int    // cold starts; 0 means 5, or up to 15 if they differ
	// Patience limits the time for more than 5 cold starts; 0 means no limit. If the result is less precise because of
	// it, it has a warning.
	Patience time.Duration
	// ReadAheads are the read-aheads to count with, in KiB; nil means the default and 0.
	ReadAheads []int
	Limit      time.Duration // of INIT, and of the invocation; 0 means Lambda's 10 s
	Event      []byte        // payload of the first invocation; nil means the package's
	// Look is called at the end, while the package is still mounted. open opens a file by its path in the environment.
	Look func(open func(path string) (*os.File, error), r *Result) error
}

// DefaultReadAheadKiB is the read-ahead of a Linux guest. Predictions are based on it.
const DefaultReadAheadKiB = lab.DefaultReadAheadKiB

// Prober measures packages, one after another.
type Prober struct {
	options      Options
	store        *coldfs.Store
	below        sandbox.Layout // the base, below any package
	mnt          string         // folder of mount points
	unprivileged bool
	listen       []string // see sandbox.Spec
	warnings     []string
	cleanup      func()

	diskReadAheadKiB int   // used if packages are folders
	noOrder          error // why the order of first touches cannot be recorded; nil if it can
}

// New returns a Prober, after it has found out what this machine allows.
func New(options Options) (p *Prober, err error) {
	options.Limit = cmp.Or(options.Limit, 10*time.Second)
	if options.ReadAheads == nil {
		options.ReadAheads = []int{DefaultReadAheadKiB, 0}
	}
	p = &Prober{options: options}
	if p.unprivileged, err = sandbox.Probe(nil); err != nil {
		return nil, err
	}
	if sandbox.ProbeNetwork(p.unprivileged) == nil {
		p.listen = []string{lab.RuntimeAPI}
	}
	place, cleanup, err := lab.OpenPlace(options.StateDir)
	if err != nil {
		return nil, err
	}
	p.cleanup, p.mnt, p.store = cleanup, place.Mnt, place.Store
	if why := place.Folders; why != nil {
		if p.diskReadAheadKiB, err = coldfs.DiskReadAheadKiB(place.Dir); err != nil {
			p.diskReadAheadKiB = DefaultReadAheadKiB
		}
		p.warnings = append(p.warnings, fmt.Sprintf("%v: packages are made cold by posix_fadvise, with the read-ahead of "+
			"the disk that they lie on (%d KiB, not %d), so KiB read are an upper bound (6 to 10 %% too high for Go packages "+
			"of 2 to 6 MB; for small ones up to the whole file: docs/model.md); pages that another process has mapped count "+
			"as read; the base is not counted", why, p.diskReadAheadKiB, DefaultReadAheadKiB))
	}
	p.noOrder = orderUsable()
	if p.below, err = lab.OpenBase(options.BaseRoot, place.Dir); err != nil {
		cleanup()
	}
	return p, err
}

// Close removes everything that the Prober has made, except what StateDir keeps.
func (p *Prober) Close() { p.cleanup() }

// Error is an error of the package, not of the probe.
type Error struct {
	What   string // one line: what happened, where, what to do
	Output string // the end of the bootstrap's output; "" if it wrote nothing
}

func (e *Error) Error() string {
	out := strings.TrimSpace(e.Output)
	if out == "" {
		return e.What
	}
	lines := strings.Split(out, "\n")
	return e.What + "; it wrote:\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}

// problem returns an Error without output.
func problem(format string, args ...any) error { return &Error{What: fmt.Sprintf(format, args...)} }
