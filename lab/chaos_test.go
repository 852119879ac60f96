//go:build linux

package lab_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/tools/need"
)

var chaos = flag.Duration("chaos", 10*time.Second, "how long TestChaos kills")

// Bootstraps, environments' first processes and the lab itself are killed while fifty clients call. Each caller must get
// its own answer or one of Lambda's errors, and never the error of a time-out. Nothing may be left at the end. Half of
// the clients share a function. Each other client has its own, so that the test knows whose death the client noticed.
func TestChaos(t *testing.T) {
	need.Time(t)
	t.Parallel()
	mark := fmt.Sprintf("chaos-%d-%d", os.Getpid(), time.Now().UnixNano())
	const clients, sharing = 50, 25
	var functions []spec
	for i := range clients - sharing + 1 {
		functions = append(functions, function(t, "F"+strconv.Itoa(i), map[string]any{"Timeout": 600, "MemorySize": 512,
			"Environment": environment("MARK", mark+"-"+strconv.Itoa(i))["Environment"]}))
	}
	dir, state, address := writeAssembly(t, functions...), t.TempDir(), freeAddress(t)
	var labs []*exec.Cmd
	begin := func() {
		command := serving(t, dir, address, "LAB_TEST_STATE="+state)
		labs = append(labs, command)
	}
	begin()

	var lives atomic.Int64 // odd while the lab is down
	var mu sync.Mutex
	outcomes := map[string]int{}
	var deaths [clients]atomic.Int64 // when the test last killed a process of a function, in ns since 1970
	var waits []time.Duration        // from a death to its caller's answer
	// On a busy machine it may take seconds until a lab answers for the first time. Nothing is killed before.
	var answers atomic.Int64
	end := time.Now().Add(*chaos)
	over := func() bool {
		late := time.Since(end)
		return late > 0 && (answers.Load() > 0 || late > 2*time.Minute)
	}
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			of := max(0, client-sharing+1)
			c := newCaller("http://" + address + "/2015-03-31/functions/F" + strconv.Itoa(of))
			for n := 0; !over(); n++ {
				event := fmt.Sprintf(`{"client":%d,"n":%d}`, client, n)
				life, began := lives.Load(), time.Now()
				status, body, err := c.call(event)
				what := outcomeOf(status, body, event, err)
				if cut := what == "cut"; cut && (life%2 == 1 || lives.Load() != life) {
					time.Sleep(50 * time.Millisecond)
					continue
				} else if cut {
					what = fmt.Sprintf("no answer, although the lab lives: %v", err)
				}
				if what == "own answer" {
					answers.Add(1)
				}
				mu.Lock()
				if died := time.Unix(0, deaths[of].Load()); what != "own answer" && of > 0 && died.After(began) {
					waits = append(waits, time.Since(died))
				}
				outcomes[what]++
				mu.Unlock()
			}
		})
	}
	seen := map[string]bool{}
	restart := time.Now().Add(*chaos / 3)
	for before := int64(0); !over(); {
		time.Sleep(30 * time.Millisecond)
		if answers.Load() == before {
			continue
		}
		lab := labs[len(labs)-1]
		var victims []string
		for _, pid := range descendants(lab.Process.Pid) {
			command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			if text := string(command); strings.HasPrefix(text, "twinstart-environment") || strings.HasPrefix(text, "/var/task/") { // not the programs that unpack packages
				victims = append(victims, pid)
				seen[pid] = true
			}
		}
		if time.Now().After(restart) {
			restart = time.Now().Add(*chaos / 3)
			lives.Add(1)
			lab.Process.Kill()
			lab.Wait()
			// A process that the dead lab was starting has its listener open for a moment.
			eventually(t, "the dead lab's address still listens", func() string {
				if conn, err := net.Dial("tcp", address); err == nil {
					conn.Close()
					return address
				}
				return ""
			})
			begin()
			lives.Add(1)
			before = answers.Load()
		} else if len(victims) > 0 {
			pid, err := strconv.Atoi(victims[rand.IntN(len(victims))])
			must(t, err)
			for _, p := range append(descendants(pid), strconv.Itoa(pid)) {
				environ, _ := os.ReadFile("/proc/" + p + "/environ")
				if _, after, ok := strings.Cut(string(environ), "MARK="+mark+"-"); ok {
					of, err := strconv.Atoi(after[:strings.IndexByte(after, 0)])
					must(t, err)
					deaths[of].Store(time.Now().UnixNano())
				}
			}
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	wait.Wait()
	last := labs[len(labs)-1]
	last.Process.Signal(os.Interrupt)
	last.Wait()
	slices.Sort(waits)
	t.Logf("%d labs, outcomes %v; the longest waits from a death to its caller's answer, of %d: %v", len(labs), outcomes, len(waits), append([]time.Duration{0}, waits...)[max(0, len(waits)-4):])
	if outcomes["own answer"] == 0 {
		t.Error("no client got its own answer")
	}
	for what, times := range outcomes {
		switch kind, _, _ := strings.Cut(what, ": "); kind {
		case "own answer", "Runtime.ExitError", "ServiceException", "TooManyRequestsException":
		default:
			t.Errorf("an outcome that no client may get, %d times: %s", times, what)
		}
	}
	newLab(t, function(t, "F", nil)) // removes what the killed labs left
	eventually(t, "processes are left", func() string {
		var left []string
		for pid := range seen {
			environ, _ := os.ReadFile("/proc/" + pid + "/environ")
			stat, _ := os.ReadFile("/proc/" + pid + "/stat")
			if strings.Contains(string(environ), mark) && !strings.Contains(string(stat), ") Z ") {
				left = append(left, pid)
			}
		}
		return strings.Join(left, " ")
	})
	eventually(t, "loop devices are left", func() string { return loopsOf(state) })
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); strings.Contains(string(mounts), state) {
		t.Error("mounts are left")
	}
	for _, lab := range labs {
		eventually(t, "control groups are left", func() string { return groupsOf(lab.Process.Pid) })
	}
}

// outcomeOf names the outcome of a call.
func outcomeOf(status int, body, event string, err error) string {
	var document struct {
		ErrorType string `json:"errorType"`
		Message   string
	}
	switch {
	case err != nil:
		return "cut"
	case status == http.StatusOK && body == event:
		return "own answer"
	case json.Unmarshal([]byte(body), &document) == nil && document.ErrorType != "":
		return document.ErrorType
	case status == http.StatusInternalServerError:
		return "ServiceException: " + document.Message
	case status == http.StatusTooManyRequests:
		return "TooManyRequestsException"
	}
	return fmt.Sprintf("%d %s, not %s", status, body, event)
}

// loopsOf returns a loop device whose file is below a folder, or "".
func loopsOf(dir string) string {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range files {
		if text, _ := os.ReadFile(file); strings.HasPrefix(string(text), dir) {
			return file
		}
	}
	return ""
}
