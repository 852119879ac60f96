//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/runtime/conformance"
)

// process is a bootstrap that runs.
type process struct {
	pid     int
	started time.Time
	log     *os.File
}

// start executes a candidate at once, as this machine's scheduler likes it.
func start(c *candidate, address string) (*process, error) { return startReading(c, address, nil) }

// startReading is start with a standard input; nil is the log.
func startReading(c *candidate, address string, stdin *os.File) (*process, error) {
	log, err := ownFolder()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
	environment := map[string]string{"LAMBDA_TASK_ROOT": c.dir, "TMPDIR": filepath.Dir(log.Name())}
	env := lab.Variables(api.Configuration{Name: "bench", Version: "$LATEST", Handler: "handler.run", MemorySizeMB: 1024, LogGroup: "/aws/lambda/bench",
		Environment: environment}, nil, address, "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef")
	how := &syscall.ProcAttr{Dir: c.dir, Env: append(env, c.env...), Files: []uintptr{log.Fd(), log.Fd(), log.Fd()}, Sys: &syscall.SysProcAttr{Setpgid: true}}
	if stdin != nil {
		how.Files[0] = stdin.Fd()
	}
	began := time.Now()
	pid, err := syscall.ForkExec(c.argv[0], c.argv, how)
	if err != nil {
		log.Close()
		os.RemoveAll(filepath.Dir(log.Name()))
		return nil, fmt.Errorf("starting %s: %w", c.name, &os.PathError{Op: "execve", Path: c.argv[0], Err: err})
	}
	return &process{pid, began, log}, nil
}

// ownFolder makes a log in a folder that is the process's TMPDIR, for Lambda's /tmp is empty: to empty a file that an earlier process of the same
// number has left in the machine's takes milliseconds.
func ownFolder() (log *os.File, err error) {
	dir, err := os.MkdirTemp("", "twinstart-bench-start-")
	if err != nil {
		return nil, err
	}
	if log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		os.RemoveAll(dir)
	}
	return log, err
}

// end kills the process and all that it has started, and says what it wrote.
func (p *process) end() string {
	conformance.KillAll(p.pid)
	for err := error(syscall.EINTR); errors.Is(err, syscall.EINTR); {
		_, err = syscall.Wait4(p.pid, nil, 0, nil)
	}
	wrote := tailOf(p.log)
	p.log.Close()
	os.RemoveAll(filepath.Dir(p.log.Name()))
	return wrote
}

// rss is the resident memory in KiB of a process and its descendants; pages that they share count for each.
func rss(pid int) (kib float64) {
	for p := range usage.Tree(pid) {
		var size, resident int
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(p) + "/statm")
		_, _ = fmt.Sscan(string(text), &size, &resident)
		kib += float64(resident * os.Getpagesize() / 1024)
	}
	return kib
}
