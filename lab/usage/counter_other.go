//go:build !linux

package usage

import "errors"

// Counter counts nothing here.
type Counter struct{}

var errNotHere = errors.New("counting what processes use needs Linux")

// Watch counts nothing here.
func Watch(int) *Counter { return &Counter{} }

// NoCPU says why.
func (*Counter) NoCPU() error { return errNotHere }

// Read always fails.
func (*Counter) Read() (Usage, error) { return Usage{}, errNotHere }

// Close does nothing.
func (*Counter) Close() {}
