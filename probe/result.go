package probe

import (
	"fmt"
	"path"
	"regexp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/deployment"
)

// Result is what was counted for one package.
type Result struct {
	Name         string           `json:"name"`
	Kind         deployment.Kind  `json:"kind"`
	Image        bool             `json:"image"` // the paths of its files start at /
	Architecture arm.Architecture `json:"architecture"`
	Emulated     bool             `json:"emulated"` // run by qemu-user: no CPU time
	Bytes        int64            `json:"bytes"`
	ColdBy       string           `json:"coldBy"` // "loop mount" or "posix_fadvise"
	CountedBy    CountedBy        `json:"countedBy"`
	Reads        []Reads          `json:"reads"` // one for each read-ahead
	CPU          *CPU             `json:"cpu,omitempty"`
	UPX          *UPX             `json:"upx,omitempty"`
	FirstFailure string           `json:"firstFailure,omitempty"` // why there is no first response; INIT is valid
	Warnings     []string         `json:"warnings"`

	Files  []File  `json:"-"` // read by a typical cold start until GET /next
	Faults []Fault `json:"-"` // of that start, in order, with read-ahead 0; nil if the order is unknown
}

// managed matches the programs and libraries of Lambda's managed runtimes.
var managed = regexp.MustCompile(
	`^(?:(node|python|ruby|java|dotnet)[0-9.]*|lib(jvm|coreclr|node|python|ruby)[0-9.-]*\.so.*)$`)

// Managed returns the managed runtime that the package starts, for example node, or "" for native code and shell.
func (r *Result) Managed() string {
	for _, f := range r.Files {
		if m := managed.FindStringSubmatch(path.Base(f.Path)); m != nil {
			return m[1] + m[2]
		}
	}
	return ""
}

// Counts returns what predictions and comparisons use: the reads with the first read-ahead, and CPU time. It returns an
// error if the base's files were not counted.
func (r *Result) Counts() (*counts.Counts, error) {
	reads := r.Reads[0]
	if !reads.Next.BaseCounted {
		return nil, fmt.Errorf("cold by %s only", r.ColdBy)
	}
	kib := func(n int) *float64 { return new(float64(n)) }
	next := reads.Next
	counted := &counts.Counts{ManagedRuntime: r.Managed(), PackageReadBy: string(r.CountedBy),
		InitPackageReadKiB: kib(next.PackageKiB), InitPackageReadChunks: &next.PackageChunks,
		InitPackageReadErrorKiB: &reads.ErrorKiB, InitLibcReadKiB: kib(next.LibcKiB),
		InitBaseReadKiB: kib(next.BaseKiB), InitBaseReadChunks: &next.BaseChunks}
	if f := reads.First; f != nil {
		counted.FirstResponsePackageReadKiB = kib(f.PackageKiB)
		counted.FirstResponseBaseReadKiB, counted.FirstResponseBaseReadChunks = kib(f.BaseKiB), &f.BaseChunks
	}
	if r.CPU != nil {
		counted.InitWarmCPUMs = &r.CPU.InitMs
	}
	return counted, nil
}

// CountedBy says where counts with read-ahead come from. Counts with read-ahead 0 always come from the page cache.
type CountedBy string

// The ways of counting.
const (
	// Computed counts come from package readahead and the order in which pages were first touched. They do not depend
	// on this machine's kernel.
	Computed CountedBy = "computed"
	// PageCache counts are what this machine's kernel has read.
	PageCache CountedBy = "page-cache"
)

// Reads is what a typical cold start reads with one read-ahead.
type Reads struct {
	ReadAheadKiB int     `json:"readAheadKiB"`
	Starts       int     `json:"starts"`          // number of starts that were counted
	Next         Count   `json:"next"`            // until GET /next
	First        *Count  `json:"first,omitempty"` // until the first response
	ErrorKiB     float64 `json:"errorKiB"`        // standard error of Next.PackageKiB; 0 if there was one start
}

// Count is what was read of the package's files and of the base's. Chunks have 512 KiB and are counted per file.
type Count struct {
	PackageKiB    int `json:"packageKiB"`
	PackageChunks int `json:"packageChunks"`
	BaseKiB       int `json:"baseKiB"`
	BaseChunks    int `json:"baseChunks"`
	// LibcKiB is the part of BaseKiB that AWS seems to have in memory: the C library, its loader, the compiler's library.
	LibcKiB     int  `json:"libcKiB"`
	BaseCounted bool `json:"baseCounted"` // false if nothing is known about the base, because it was in memory
}

// CPU is the CPU time of the whole process tree at a warm start, whose pages are all in memory.
type CPU struct {
	InitMs  float64  `json:"initMs"`  // until GET /next
	FirstMs *float64 `json:"firstMs"` // from there to the first response
	// Page faults until GET /next, of a cold start with the default read-ahead.
	MinorFaults int64 `json:"minorFaults"`
	MajorFaults int64 `json:"majorFaults"`
}

// File is a file of which pages were read until GET /next. Touched and ReadAhead have a byte for each page of the file;
// bit 0 is set if the page was in memory.
type File struct {
	Path      string // absolute, inside the environment
	Package   bool   // false for a file of the base
	Size      int64  // bytes
	Touched   []byte // with read-ahead 0
	ReadAhead []byte // with the default read-ahead
}

// Fault is a page fault on a file: the page at Offset of Path, touched by the instruction at IPOffset of IPPath.
type Fault struct {
	Path     string
	Offset   uint64 // in the file
	IPPath   string // Kernel, or "" if the instruction is not in a file, but generated by an emulator
	IPOffset uint64
}

// Kernel is the IPPath of a fault inside a system call.
const Kernel = "[kernel]"

// UPX is the header of an executable that UPX has packed.
type UPX struct {
	UnpackedBytes int64 `json:"unpackedBytes"`
	LZMA          bool  `json:"lzma"`
}
