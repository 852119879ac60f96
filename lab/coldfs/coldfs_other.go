//go:build !linux

package coldfs

import "errors"

var errLinux = errors.New("the lab needs Linux")

// Read is what of a package is in the page cache.
type Read struct{ KiB, Chunks int }

func makeImage(string, string) error          { return errLinux }
func Usable() error                           { return errLinux }
func (p *Package) Count(string) (Read, error) { return Read{}, errLinux }
func (p *Package) Drop() error                { return errLinux }
func Describe(string) string                  { return "" }
