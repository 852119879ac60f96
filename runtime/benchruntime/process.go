package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/cgroup"
)

// process is a bootstrap that runs.
type process struct {
	pid     int
	started time.Time
	log     *os.File
}

// start executes a candidate at once, as this machine's scheduler likes it.
func start(c *candidate, address string) (*process, error) {
	log, err := ownFolder()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
	began := time.Now()
	pid, err := syscall.ForkExec(c.argv[0], c.argv, attributes(c, address, log))
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

func attributes(c *candidate, address string, log *os.File) *syscall.ProcAttr {
	environment := map[string]string{"LAMBDA_TASK_ROOT": c.dir, "TMPDIR": filepath.Dir(log.Name())}
	env := lab.Variables(api.Configuration{Name: "bench", Version: "$LATEST", Handler: "handler.run", MemorySizeMB: 1024, LogGroup: "/aws/lambda/bench",
		Environment: environment}, nil, address, "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef")
	return &syscall.ProcAttr{Dir: c.dir, Env: append(env, c.env...), Files: []uintptr{log.Fd(), log.Fd(), log.Fd()}, Sys: &syscall.SysProcAttr{Setpgid: true}}
}

// waiting is the first argument of this program where it waits in a control group for the word to become a candidate.
const waiting = "wait-then-exec"

// becomeCandidate does not return where it can be helped.
func becomeCandidate(argv []string) error {
	if n, err := os.NewFile(3, "release").Read(make([]byte, 1)); n == 0 {
		return fmt.Errorf("waiting for the word: %w", err)
	}
	return &os.PathError{Op: "execve", Path: argv[0], Err: syscall.Exec(argv[0], argv, os.Environ())} //nolint:gosec // the candidate that the user named
}

// startLimited is start in a control group, which has no CPU limit until the group is given one.
func startLimited(group *cgroup.Group) func(c *candidate, address string) (*process, error) {
	return func(c *candidate, address string) (*process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		log, err := ownFolder()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		read, write, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		defer write.Close()
		how := attributes(c, address, log)
		how.Files = append(how.Files, read.Fd())
		pid, err := syscall.ForkExec(self, append([]string{self, waiting}, c.argv...), how)
		read.Close()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		p := &process{pid: pid, log: log}
		if err := group.Join(pid); err != nil {
			p.end()
			return nil, err
		}
		time.Sleep(5 * time.Millisecond) // it has come to its wait by then
		p.started = time.Now()
		_, err = write.Write([]byte{1})
		return p, err
	}
}

// end kills the process and all that it has started, and says what it wrote.
func (p *process) end() string {
	for _, pid := range append(descendants(p.pid), p.pid) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	_ = unix.Kill(-p.pid, unix.SIGKILL)
	for {
		if _, err := syscall.Wait4(p.pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	wrote := tailOf(p.log)
	p.log.Close()
	os.RemoveAll(filepath.Dir(p.log.Name()))
	return wrote
}

// descendants are the processes that a process has started, and those that they have, deepest last.
func descendants(pid int) (all []int) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

// rss is the resident memory in KiB of a process and its descendants; pages that they share count for each.
func rss(pid int) (kib float64) {
	for _, p := range append(descendants(pid), pid) {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(p) + "/status")
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				n, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
				kib += n
			}
		}
	}
	return kib
}

// look finds a program in PATH.
func look(program string) (string, bool) {
	path, err := exec.LookPath(program)
	return path, err == nil
}
