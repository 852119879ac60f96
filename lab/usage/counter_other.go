//go:build !linux

package usage

import "errors"

// Counter counts nothing here.
type Counter struct{}

// Watch always fails: process trees are counted on Linux only.
func Watch(int) (*Counter, error) { return nil, errors.New("counting what processes use needs Linux") }

// Read is never reached.
func (*Counter) Read() (Usage, error) { return Usage{}, nil }

// Close does nothing.
func (*Counter) Close() {}
