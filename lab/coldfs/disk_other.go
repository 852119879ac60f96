//go:build !linux

package coldfs

import "errors"

// Disk cannot exist here.
type Disk struct{}

// NewDisk needs Linux.
func NewDisk(string, int) (*Disk, error) { return nil, errors.ErrUnsupported }

// Copy needs Linux.
func (*Disk) Copy(string) (string, error) { return "", errors.ErrUnsupported }
