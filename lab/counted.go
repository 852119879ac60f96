package lab

import (
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
)

// Counted holds counts of a package that were taken once, in starts made for this purpose, because measured starts
// cannot give them. The KiB of a single measured start depend on this machine's kernel and on the order in which
// threads ran. A measured start says nothing about the base, because the base's files are warm.
type Counted struct {
	By        string       // how the package's KiB were counted
	Package   coldfs.Read  // the package at GET /next, a mean
	ErrorKiB  float64      // standard error of Package.KiB
	First     *coldfs.Read // the package at the first response
	Base      coldfs.Read  // the base image's own files at GET /next
	LibcKiB   int          // the part of Base that is the C library and its loader
	BaseFirst *coldfs.Read // the base at the first response
	WarmCPUMs *float64     // CPU until GET /next with every page in memory
	Managed   string       // the managed runtime whose program the package starts, such as node; "" for native code
}

// Count returns what was counted for f, or nil if it is unknown.
type Count func(assembly.Function) *Counted
