//go:build !linux

package usage

import "errors"

// Counter counts nothing on this system.
type Counter struct{}

var errNotHere = errors.New("counting what processes use needs Linux")

// Watch returns a counter that counts nothing.
func Watch(int) *Counter { return &Counter{} }

// NoCPU returns the reason.
func (*Counter) NoCPU() error { return errNotHere }

// Read always fails.
func (*Counter) Read() (Usage, error) { return Usage{}, errNotHere }

// Close does nothing.
func (*Counter) Close() {}
