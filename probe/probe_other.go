//go:build !linux

package probe

import (
	"context"
	"errors"
)

// Measure needs Linux.
func (p *Prober) Measure(context.Context, *Package) (*Result, error) { return nil, errLinux }

var errLinux = errors.New("counting what a package reads needs Linux: run it in a Linux virtual machine")

func orderUsable() error { return errLinux }

func asOnLambda(int) {}
