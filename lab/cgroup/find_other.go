//go:build !linux

package cgroup

import "errors"

func open() *hierarchy { return unavailable(errors.New("control groups are Linux's")) }
