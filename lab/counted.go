package lab

import (
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
)

// Counted is what is counted of a package at starts of its own, once: what measured starts cannot tell. A single start has KiB of this
// machine's kernel, and of the order that its threads happened to run in; of the base it has nothing, for in a measured cold start
// the base's files are warm.
type Counted struct {
	By        string       // how the package's KiB were counted
	Package   coldfs.Read  // at GET /next, a mean
	ErrorKiB  float64      // standard error of Package.KiB
	First     *coldfs.Read // of the package at the first response
	Base      coldfs.Read  // of the base image's own files, at GET /next
	LibcKiB   int          // of it: the C library and its loader
	BaseFirst *coldfs.Read // of the base at the first response
	WarmCPUMs *float64     // CPU to GET /next with every page in memory
	Managed   string       // the managed runtime whose program the package starts, such as node; "" is native code
}

// Count returns what was counted for f, or nil if it is unknown.
type Count func(assembly.Function) *Counted
