package lab

import (
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
)

// BaseRead is what a package reads of its base image's own files. In a measured cold start they are warm, for making them cold would
// change its time, so they are counted at starts of their own, once for a package.
type BaseRead struct {
	Init      coldfs.Read  // at GET /next
	LibcKiB   int          // of it: the C library and its loader
	First     *coldfs.Read // at the first response
	WarmCPUMs *float64     // CPU to GET /next with every page in memory
}

// CountBase counts for one function; nil is not known.
type CountBase func(assembly.Function) *BaseRead
