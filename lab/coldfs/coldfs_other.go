//go:build !linux

package coldfs

import "errors"

var errLinux = errors.New("the lab needs Linux")

func makeImage(string, string) error          { return errLinux }
func Usable() error                           { return errLinux }
func (p *Package) Count(string) (Read, error) { return Read{}, errLinux }
func (p *Package) Drop() error                { return errLinux }
func Describe(string) string                  { return "" }
func DiskReadAheadKiB(string) (int, error)    { return 0, errLinux }
