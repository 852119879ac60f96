package lab

import (
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// What measuring a single package (probe) has in common with running an assembly.

// OpenBase makes a base of the host's /usr, or checks an unpacked provided:al2023: the layout of an environment without a package.
// stateDir keeps it.
func OpenBase(baseRoot, stateDir string) (sandbox.Layout, error) {
	b, err := openBase(baseRoot, stateDir)
	return b.layout(), err
}

// MountPoints are the folders that a root file system needs.
func MountPoints() []string { return append([]string{}, mountPoints...) }

// Variables are the environment of a function's bootstrap, as NAME=value.
func Variables(c api.Configuration, image []dockerfile.KV, runtimeAPI, logStream string) []string {
	return variables(c, image, runtimeAPI, logStream)
}
