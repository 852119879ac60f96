//go:build !linux

package coldfs

import (
	"errors"
	"os"
)

// Disk cannot exist here.
type Disk struct{}

// NewDisk needs Linux.
func NewDisk(string, int) (*Disk, error) { return nil, errors.ErrUnsupported }

// Attach needs Linux.
func (*Disk) Attach(string) (*os.File, error) { return nil, errors.ErrUnsupported }
