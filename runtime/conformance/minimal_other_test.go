//go:build !linux

package conformance

import "testing"

func minimalRoot(t *testing.T, _, _ string) string {
	t.Skip("image-minimal needs Linux")
	return ""
}

var unmounts []func() error
