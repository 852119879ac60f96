//go:build !linux

package sandbox

import (
	"errors"
	"io"
	"net"
)

// Environment cannot exist on this system.
type Environment struct {
	Started chan Start
	Exited  chan Exit
}

// ErrNamespaces says that this system is not Linux.
var ErrNamespaces = errors.New("the lab needs Linux: run it in a Linux virtual machine, " +
	"or measure on AWS with --source aws")

// The functions below do nothing here. See the functions of the same names for Linux.

func Probe(func(int)) (bool, error)                    { return false, ErrNamespaces }
func Filters() ([][]byte, error)                       { return nil, ErrNamespaces }
func (*Environment) Tell(byte) error                   { return ErrNamespaces }
func Spawn(bool, bool, []string) (*Environment, error) { return nil, ErrNamespaces }
func (*Environment) SetUp(Spec, io.Writer) error       { return ErrNamespaces }
func ProbeNetwork(bool) error                          { return ErrNamespaces }
func (*Environment) Listeners() []net.Listener         { return nil }
func (*Environment) PID() int                          { return 0 }
func (*Environment) Ready() error                      { return ErrNamespaces }
func (*Environment) Gone() <-chan struct{}             { return nil }
func (*Environment) Stop() error                       { return ErrNamespaces }
func (*Environment) Drain()                            {}
func (*Environment) Kill()                             {}
func (*Environment) Root() string                      { return "" }
func (*Environment) MemoryHighWaterKiB() int64         { return 0 }

// Within runs the tests on this machine's own root.
func Within(run func() int, _ func(dir string) (Layout, error)) int { return run() }
