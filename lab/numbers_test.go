//go:build linux

package lab_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var numbers = flag.Bool("numbers", false, "print what the lab does in a second, and holds in memory; RIE=PATH, of AWS's runtime emulator, is measured beside it")

// caller calls a function as often as it is asked to, with little work of its own.
type caller struct {
	client *http.Client
	url    string // of the function
}

func newCaller(url string) caller {
	return caller{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}}, url}
}

func (c caller) call(event string) (status int, body string, err error) {
	response, err := c.client.Post(c.url+"/invocations", "application/json", strings.NewReader(event))
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// from calls from so many clients at once, each with events of its own, for a time. It returns how long each call took, and how many had
// another answer than their own.
func (c caller) from(clients int, d time.Duration) (took []time.Duration, wrong map[string]int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var n atomic.Int64
	wrong = map[string]int{}
	for end := time.Now().Add(d); clients > 0; clients-- {
		wait.Go(func() {
			var own []time.Duration
			for time.Now().Before(end) {
				event := `{"id":` + strconv.FormatInt(n.Add(1), 10) + `}`
				began := time.Now()
				status, body, err := c.call(event)
				if own = append(own, time.Since(began)); status != http.StatusOK || body != event {
					mu.Lock()
					wrong[fmt.Sprint(status, " ", err)]++
					mu.Unlock()
				}
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	wait.Wait()
	return took, wrong
}

// served is a lab in a process of its own.
func served(t *testing.T, specs ...spec) (url string, pid int) {
	t.Helper()
	address := freeAddress(t)
	command := serving(t, writeAssembly(t, specs...), address)
	return "http://" + address + "/2015-03-31/functions/", command.Process.Pid
}

// serving starts a lab at an address.
func serving(t *testing.T, dir, address string, variables ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	command.Env = append(append(os.Environ(), serveVariable+"="+dir, listenVariable+"="+address), variables...)
	command.Stderr = os.Stderr
	must(t, command.Start())
	t.Cleanup(func() { command.Process.Signal(os.Interrupt); command.Wait() })
	for range 400 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return command
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not serve")
	return nil
}

func freeAddress(t *testing.T) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", ms(d)) }

func p50(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// residentMB is what a process has in memory, without what it started.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	must(t, err)
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(after)[0])
	return kb >> 10
}

// treeMB sums what a process and all that it started have in memory for themselves, shared pages once for each sharer's part.
func treeMB(pid int) (mb int) {
	for _, p := range append(descendants(pid), strconv.Itoa(pid)) {
		text, _ := os.ReadFile("/proc/" + p + "/smaps_rollup")
		_, after, ok := bytes.Cut(text, []byte("\nPss:"))
		if !ok {
			continue
		}
		kb, _ := strconv.Atoi(string(bytes.Fields(after)[0]))
		mb += kb
	}
	return mb >> 10
}

// initOf calls a function and returns how long its INIT took.
func initOf(t *testing.T, c caller) time.Duration {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/invocations", strings.NewReader("{}"))
	must(t, err)
	r.Header.Set("X-Amz-Log-Type", "Tail")
	response, err := c.client.Do(r)
	must(t, err)
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	log, err := base64.StdEncoding.DecodeString(response.Header.Get("X-Amz-Log-Result"))
	must(t, err)
	took := initField.FindSubmatch(log)
	if took == nil {
		t.Fatalf("not cold: %s", log)
	}
	d, err := time.ParseDuration(string(took[1]) + "ms")
	must(t, err)
	return d
}

// TestNumbers prints; it holds nothing against a clock.
func TestNumbers(t *testing.T) {
	if !*numbers {
		t.Skip("make bench-lab runs it")
	}
	big := map[string]any{"MemorySize": 1769, "Timeout": 60}
	functions := []spec{function(t, "F", big)}
	for i := range 5 {
		functions = append(functions, function(t, "Many"+strconv.Itoa(i), map[string]any{"Timeout": 60}))
	}
	base, pid := served(t, functions...)
	subjects := map[string]caller{"lab": newCaller(base + "F")}
	freezing := freeAddress(t)
	serving(t, writeAssembly(t, functions[0]), freezing, "LAB_TEST_FREEZE=yes")
	subjects["freezing"] = newCaller("http://" + freezing + "/2015-03-31/functions/F")
	if rie := os.Getenv("RIE"); rie != "" {
		address, runtimeAPI := freeAddress(t), freeAddress(t)
		emulator := exec.CommandContext(t.Context(), rie, "--runtime-interface-emulator-address", address, "--runtime-api-address", runtimeAPI, builtBootstrap(t))
		must(t, emulator.Start())
		t.Cleanup(func() { emulator.Process.Kill(); emulator.Wait() })
		time.Sleep(time.Second)
		subjects["emulator"] = newCaller("http://" + address + "/2015-03-31/functions/function")
	}
	warm := map[string][]time.Duration{}
	for range 5 {
		for name, c := range subjects {
			c.from(1, 200*time.Millisecond)
			took, _ := c.from(1, 2*time.Second)
			warm[name] = append(warm[name], p50(took))
		}
	}
	for name, all := range warm {
		t.Logf("%-9s warm p50 at one client: %s (rounds %v)", name, milliseconds(p50(all)), all)
	}
	lab := subjects["lab"]
	lab.from(50, 2*time.Second)
	for range 3 {
		took, wrong := lab.from(50, 5*time.Second)
		t.Logf("lab       fifty clients: %.0f/s, p50 %s, other answers %v", float64(len(took))/5, milliseconds(p50(took)), wrong)
	}
	took, wrong := lab.from(200, 5*time.Second)
	t.Logf("lab       200 clients, --concurrency 200: %d answered, other answers %v", len(took), wrong)
	var cold, own []time.Duration
	for i := range 40 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, lab.url+"/configuration", strings.NewReader(`{"Environment":{"Variables":{"NONCE":"`+strconv.Itoa(i)+`"}}}`))
		must(t, err)
		began := time.Now()
		response, err := lab.client.Do(r)
		must(t, err)
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		init := initOf(t, lab)
		cold = append(cold, time.Since(began))
		own = append(own, time.Since(began)-init)
	}
	t.Logf("lab       cold p50 (update, invoke): %s; without the function's own INIT %s", milliseconds(p50(cold)), milliseconds(p50(own)))
	before := residentMB(t, pid)
	for done := 0; done < 100_000; {
		took, wrong := lab.from(20, 5*time.Second)
		if done += len(took); len(wrong) > 0 {
			t.Errorf("other answers: %v", wrong)
		}
	}
	t.Logf("lab       memory before and after 100,000 invocations: %d and %d MB", before, residentMB(t, pid))
	var wait sync.WaitGroup
	for i := range 5 {
		for range 100 {
			wait.Go(func() {
				status, body, err := newCaller(base + "Many" + strconv.Itoa(i)).call(`{"do":"slow","size":20000}`)
				if status != http.StatusOK {
					t.Errorf("%d %s %v", status, body, err)
				}
			})
		}
	}
	time.Sleep(15 * time.Second)
	t.Logf("lab       with 500 environments more: %d MB in all processes", treeMB(pid))
	wait.Wait()
}
