//go:build unix

package staticbash

import (
	"os/exec"
	"syscall"
)

// stopWhole makes a cancelled command end together with the compilers that make has started.
func stopWhole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
