//go:build !linux

package conformance

import "testing"

func minimalRoot(t *testing.T, _, _ string) string {
	t.Skip("image-minimal takes Linux")
	return ""
}

var unmounts []func() error
