//go:build !linux

package coldfs

import (
	"errors"
	"os"
)

// Disk cannot exist here.
type Disk struct{}

var errLinux = errors.New("the lab needs Linux")

func makeImage(string, string, int64, int64) error { return errLinux }
func Usable() error                                { return errLinux }
func (p *Package) Count(string) (Read, error)      { return Read{}, errLinux }
func (p *Package) Drop() error                     { return errLinux }
func NewDisk(string, int) (*Disk, error)           { return nil, errLinux }
func (*Disk) Attach(string) (*os.File, error)      { return nil, errLinux }
func Describe(string) string                       { return "" }
func DiskReadAheadKiB(string) (int, error)         { return 0, errLinux }
