// Package usage counts the CPU time and the page faults of a process tree. It must not disturb what is timed, so it is
// cheap: faults are read from /proc afterwards (perf would cost 0.2 ms of an INIT), and CPU is counted by one inherited
// perf event.
package usage

import (
	"errors"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/arm/list"
)

// Usage is what a whole process tree has used, including processes that have ended.
type Usage struct {
	CPU         time.Duration // 0 if it cannot be counted here
	MinorFaults int64         // faults on a page that was in memory or needed no file
	MajorFaults int64         // faults on a page that had to be read
}

// Minus returns what was used since an earlier reading.
func (u Usage) Minus(earlier Usage) Usage {
	return Usage{u.CPU - earlier.CPU, u.MinorFaults - earlier.MinorFaults, u.MajorFaults - earlier.MajorFaults}
}

// Tree yields a process and then all its descendants, whichever thread forked them.
func Tree(pid int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for todo := []int{pid}; len(todo) > 0 && yield(todo[0]); todo = todo[1:] {
			for _, children := range ofThreads(todo[0], "children") { // each thread lists those that it forked itself
				for child := range strings.FieldsSeq(children) {
					if n, err := strconv.Atoi(child); err == nil {
						todo = append(todo, n)
					}
				}
			}
		}
	}
}

// ofThreads returns the text of a file in /proc for each thread of a process.
func ofThreads(pid int, file string) []string {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, _ := os.ReadDir(dir)
	return list.Map(threads, func(thread os.DirEntry) string {
		text, _ := os.ReadFile(dir + thread.Name() + "/" + file)
		return string(text)
	})
}

// Ended reports whether no process has this ID.
func Ended(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Kill kills a process group and the groups of all descendants of its leader. A bootstrap's worker leads its own group.
func Kill(leader int) {
	for _, pid := range slices.Collect(Tree(leader)) {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Asleep reports whether every thread of a process waits for something other than a CPU or a page. A process that
// has ended counts as asleep.
func Asleep(pid int) bool {
	return !slices.ContainsFunc(ofThreads(pid, "stat"), func(text string) bool {
		_, state, ok := strings.Cut(text, ") ")
		return ok && (state[0] == 'R' || state[0] == 'D')
	})
}
