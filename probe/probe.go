// Package probe measures one deployment package outside of any assembly: what it reads of its files, and of the base's,
// until GET /next and until its first response, and the CPU that takes. KiB repeat where times do not.
//
// As root each start has the package on a freshly mounted file system of its own, and so have the files of the base
// that it opens, which a first start finds out. Elsewhere the package is a folder made cold by posix_fadvise and the
// base is not counted.
package probe

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// Options say how to measure. Zero values are the defaults.
type Options struct {
	BaseRoot string // unpacked root file system of provided:al2023; "" takes this machine's own /usr in its place
	StateDir string // keeps prepared packages; "" is a temporary folder
	Rounds   int    // cold starts; 0 is 5, and up to 15 where they differ
	// Patience ends cold starts beyond the first 5 although they differ; 0 is as long as it takes. It costs precision,
	// which is then told.
	Patience time.Duration
	// ReadAheads in KiB to count with; nil is the default and 0. CPU is taken with the first.
	ReadAheads []int
	Limit      time.Duration // of INIT, and of the invocation; 0 is Lambda's 10 s
	Event      []byte        // of the first invocation; nil is the package's own
	// Look is called at the end, while the package lies open, for whoever wants to read its files: by their paths in
	// the environment.
	Look func(open func(path string) (*os.File, error), r *Result) error
}

// DefaultReadAheadKiB is a Linux guest's, which predictions are made from.
const DefaultReadAheadKiB = lab.DefaultReadAheadKiB

// Result is what was counted of one package.
type Result struct {
	Name         string           `json:"name"`
	Kind         deployment.Kind  `json:"kind"`
	Image        bool             `json:"image"` // its paths start at /
	Architecture arm.Architecture `json:"architecture"`
	Emulated     bool             `json:"emulated"` // run by qemu-user: no CPU time
	Bytes        int64            `json:"bytes"`
	ColdBy       string           `json:"coldBy"` // "loop mount" or "posix_fadvise"
	CountedBy    CountedBy        `json:"countedBy"`
	Reads        []Reads          `json:"reads"` // by read-ahead, the default first
	CPU          *CPU             `json:"cpu,omitempty"`
	UPX          *UPX             `json:"upx,omitempty"`
	FirstFailure string           `json:"firstFailure,omitempty"` // why there is no first response; INIT was measured all the same
	Calls        []string         `json:"calls"`                  // the Runtime API calls of one start
	Warnings     []string         `json:"warnings"`

	Files  []File  `json:"-"` // what a typical cold start read, file by file, to GET /next
	Faults []Fault `json:"-"` // of the same start, in their order, with read-ahead 0; nil where it cannot be noted
}

// managed are the programs of Lambda's managed runtimes.
var managed = regexp.MustCompile(`^(?:(node|python|ruby|java|dotnet)[0-9.]*|lib(jvm|coreclr|node|python|ruby)[0-9.-]*\.so.*)$`)

// Managed is the managed runtime that a package starts, such as node; "" is native code, shell included.
func (r *Result) Managed() string {
	for _, f := range r.Files {
		if m := managed.FindStringSubmatch(path.Base(f.Path)); m != nil {
			return m[1] + m[2]
		}
	}
	return ""
}

// CountedBy is where counts with read-ahead come from. Those with read-ahead 0 are always of the page cache.
type CountedBy string

// The ways of counting.
const (
	// Computed is from the order in which pages were first touched, as package readahead says: the same whatever kernel
	// runs here.
	Computed CountedBy = "computed"
	// PageCache is what this machine's own kernel had read.
	PageCache CountedBy = "page-cache"
)

// Reads is what a typical cold start reads with one read-ahead.
type Reads struct {
	ReadAheadKiB int    `json:"readAheadKiB"`
	Starts       int    `json:"starts"`          // that it is typical of
	Next         Count  `json:"next"`            // at GET /next
	First        *Count `json:"first,omitempty"` // at the first response
	// ErrorKiB is the standard error of Next.PackageKiB; 0 of a single start, too.
	ErrorKiB float64 `json:"errorKiB"`
	// SpreadKiB is the largest less the smallest package count at GET /next of single starts.
	SpreadKiB int `json:"spreadKiB"`
}

// Count is what was read of the package's files and of the base's. Chunks are of 512 KiB, per file.
type Count struct {
	PackageKiB    int  `json:"packageKiB"`
	PackageChunks int  `json:"packageChunks"`
	BaseKiB       int  `json:"baseKiB"`
	BaseChunks    int  `json:"baseChunks"`
	LibcKiB       int  `json:"libcKiB"`     // of BaseKiB: the C library, its loader and the compiler's library, which AWS seems to have in memory
	BaseCounted   bool `json:"baseCounted"` // false: the base was in memory already and nothing is known of it
}

// CPU is of the whole process tree, warm: what is left of a start when every page is in memory.
type CPU struct {
	InitMs  float64  `json:"initMs"`  // to GET /next
	FirstMs *float64 `json:"firstMs"` // from there to the first response
	// Page faults to GET /next of a cold start with the default read-ahead.
	MinorFaults int64 `json:"minorFaults"`
	MajorFaults int64 `json:"majorFaults"`
}

// File is one file with the pages that were in memory at GET /next, a byte each (bit 0).
type File struct {
	Path      string // absolute, inside of the environment
	Package   bool   // else the base's
	Size      int64
	Touched   []byte // with read-ahead 0
	ReadAhead []byte // with the default read-ahead
}

// Fault is a page fault on a file: the page at Offset of Path, touched by the instruction at IPOffset of IPPath.
type Fault struct {
	Path     string
	Offset   uint64 // in the file
	IPPath   string // Kernel, or "" if it is not a file: an emulator's generated code
	IPOffset uint64
}

// Kernel is the IPPath of a fault that the kernel took for a system call.
const Kernel = "[kernel]"

// UPX is what a packed executable says of itself.
type UPX struct {
	UnpackedBytes int64 `json:"unpackedBytes"`
	LZMA          bool  `json:"lzma"`
}

// Prober measures packages, one after another.
type Prober struct {
	options      Options
	store        *coldfs.Store
	below        sandbox.Layout // any package
	mnt          string
	unprivileged bool
	listen       []string // as of a sandbox.Spec
	warnings     []string
	cleanup      func()

	diskReadAheadKiB int   // where packages are folders: the disk's own
	noOrder          error // why the order of first touches cannot be noted
}

// New finds out what this machine allows.
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
		p.warnings = append(p.warnings, fmt.Sprintf("%v: packages are made cold by posix_fadvise, with the read-ahead of the disk that they lie on (%d KiB, not %d), so KiB read are an upper bound (Go packages of 2 to 6 MB 6 to 10 %%, small ones up to all of the file, docs/model.md); what another process has mapped counts as read; the base is not counted",
			why, p.diskReadAheadKiB, DefaultReadAheadKiB))
	}
	p.noOrder = orderUsable()
	if p.below, err = lab.OpenBase(options.BaseRoot, place.Dir); err != nil {
		cleanup()
	}
	return p, err
}

// Close leaves nothing behind.
func (p *Prober) Close() { p.cleanup() }

// Error is what is wrong with a package, in one line, with what it printed before.
type Error struct {
	What   string // what happened, where, what to do
	Output string // the end of what the bootstrap wrote; "" is nothing
}

func (e *Error) Error() string {
	out := strings.TrimSpace(e.Output)
	if out == "" {
		return e.What
	}
	lines := strings.Split(out, "\n")
	return e.What + "; it wrote:\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}

func problem(format string, args ...any) error { return &Error{What: fmt.Sprintf(format, args...)} }
