//go:build linux

package benchmarks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/usage"
)

// process is a running bootstrap.
type process struct {
	pid     int
	started time.Time
	log     *os.File
}

// start executes a candidate at once, on any CPU.
func start(c *candidate, address string) (*process, error) { return startReading(c, address, nil) }

// startReading does what start does, with a standard input; nil means the log.
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

// ownFolder makes a log in an empty folder that becomes the process's TMPDIR, because Lambda's /tmp is empty. In
// the machine's /tmp an earlier process with the same number may have left a file, and to empty it takes
// milliseconds.
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

// end kills the process and everything that it started, and returns what it wrote.
func (p *process) end() string {
	usage.Kill(p.pid)
	for err := error(syscall.EINTR); errors.Is(err, syscall.EINTR); {
		_, err = syscall.Wait4(p.pid, nil, 0, nil)
	}
	wrote := tailOf(p.log)
	p.log.Close()
	os.RemoveAll(filepath.Dir(p.log.Name()))
	return wrote
}

// rss returns the resident memory of a process and its descendants, in KiB. Shared pages count for each process.
func rss(pid int) (kib float64) {
	for p := range usage.Tree(pid) {
		var size, resident int
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(p) + "/statm")
		_, _ = fmt.Sscan(string(text), &size, &resident)
		kib += float64(resident * os.Getpagesize() / 1024)
	}
	return kib
}

// startLimited does what start does, in a control group. The group has no CPU limit until it is given one. To move
// a process into a group takes milliseconds, in which a short INIT would be over. So a shell is moved, which then
// executes the candidate.
func startLimited(group *cgroup.Group) func(c *candidate, address string) (*process, error) {
	return func(c *candidate, address string) (*process, error) {
		wait, word, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		defer wait.Close()
		defer word.Close()
		waiting := *c
		waiting.argv = append([]string{"/bin/sh", "-c", `read -r word && exec "$@" <&1`, "sh"}, c.argv...)
		p, err := startReading(&waiting, address, wait)
		if err != nil {
			return nil, err
		}
		err = group.Join(p.pid)
		time.Sleep(5 * time.Millisecond) // it is waiting by then
		p.started = time.Now()
		if _, writing := word.WriteString("\n"); err != nil || writing != nil {
			return nil, fmt.Errorf("starting %s: %w%s", c.name, errors.Join(err, writing), p.end())
		}
		return p, nil
	}
}

// countInstructions counts, with callgrind, what a candidate and its processes execute in user space up to the end of
// the first invocation.
func countInstructions(c *candidate, valgrind string) (float64, error) {
	dir, err := os.MkdirTemp("", "twinstart-bench-callgrind-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	under := *c
	under.argv = append([]string{valgrind, "-q", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=" + filepath.Join(dir, "%p")}, c.argv...)
	if _, err := session(&under, 0, start, phase{finished: finish}); err != nil {
		return 0, err
	}
	counted, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, file := range counted {
		n, err := total(file)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	if sum == 0 {
		return 0, fmt.Errorf("callgrind counted nothing of %s", c.name)
	}
	return sum, nil
}

// finish ends a process tree, from its leaves, by a signal on which callgrind writes its file. A process that
// ignores the signal is killed later and not counted.
func finish(pid int) {
	for _, pid := range slices.Backward(slices.Collect(usage.Tree(pid))) {
		_ = unix.Kill(pid, syscall.SIGTERM)
		for range 200 {
			if state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err != nil || strings.Contains(string(state), ") Z ") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// total reads the number of instructions from a file of callgrind.
func total(file string) (float64, error) {
	text, err := os.ReadFile(file)
	_, summary, found := strings.Cut(string(text), "\nsummary: ")
	if err != nil || !found {
		return 0, err
	}
	return strconv.ParseFloat(strings.Fields(summary)[0], 64)
}
