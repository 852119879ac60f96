//go:build linux

package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var numbers = flag.Bool("numbers", false, "print how many invocations the lab answers in a second, and its memory; with RIE=PATH, AWS's runtime emulator is measured too")

// caller calls a function.
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

// direct returns a function that calls over one connection, with one write and few reads a call. net/http's client would
// take as much of the CPU as the lab.
func (c caller) direct() (call func(event string) (status int, body string, err error), end func(), err error) {
	to, err := url.Parse(c.url)
	if err != nil {
		return nil, nil, err
	}
	conn, err := net.Dial("tcp", to.Host)
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReader(conn)
	return func(event string) (int, string, error) {
		if _, err := fmt.Fprintf(conn, "POST %s/invocations HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", to.Path, to.Host, len(event), event); err != nil {
			return 0, "", err
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, string(text), err
	}, func() { conn.Close() }, nil
}

// from calls with so many clients at once, for the time d. No two events are the same. It returns how long each call
// took, and counts the answers that were not the call's event.
func (c caller) from(clients int, d time.Duration) (took []time.Duration, wrong map[string]int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var n atomic.Int64
	wrong = map[string]int{}
	for end := time.Now().Add(d); clients > 0; clients-- {
		wait.Go(func() {
			var own []time.Duration
			call, hangUp, err := c.direct()
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong[err.Error()]++
				return
			}
			defer hangUp()
			for time.Now().Before(end) {
				event := `{"id":` + strconv.FormatInt(n.Add(1), 10) + `}`
				began := time.Now()
				status, body, err := call(event)
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

// small is a bootstrap that answers with the event. It uses one connection and blocking system calls, so that nearly all
// of the time is the lab's.
const small = `package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	host, port, _ := strings.Cut(os.Getenv("AWS_LAMBDA_RUNTIME_API"), ":")
	n, _ := strconv.Atoi(port)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		panic(err)
	}
	const api = " /2018-06-01/runtime/invocation/"
	for {
		head, event := exchange(fd, "GET"+api+"next HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		id := header(head, "Lambda-Runtime-Aws-Request-Id: ")
		exchange(fd, "POST"+api+id+"/response HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: "+strconv.Itoa(len(event))+"\r\n\r\n"+event)
	}
}

func exchange(fd int, request string) (head, body string) {
	syscall.Write(fd, []byte(request))
	var got []byte
	buffer := make([]byte, 64<<10)
	for {
		n, _ := syscall.Read(fd, buffer)
		if n <= 0 {
			os.Exit(1)
		}
		got = append(got, buffer[:n]...)
		if at := bytes.Index(got, []byte("\r\n\r\n")); at >= 0 {
			length, _ := strconv.Atoi(header(string(got[:at+2]), "Content-Length: "))
			if len(got) >= at+4+length {
				return string(got[:at+2]), string(got[at+4:])
			}
		}
	}
}

func header(head, name string) string {
	_, value, _ := strings.Cut(head, name)
	value, _, _ = strings.Cut(value, "\r\n")
	return value
}
`

func builtSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(small), 0o644))
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "bootstrap"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "bootstrap")
}

// served starts a lab in another process. It returns the URL of the lab's functions and the process's ID.
func served(t *testing.T, specs ...spec) (url string, pid int) {
	t.Helper()
	address := freeAddress(t)
	command := serving(t, writeAssembly(t, specs...), address)
	return "http://" + address + "/2015-03-31/functions/", command.Process.Pid
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", ms(d)) }

func p50(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// residentMB returns the memory of a process, without its children.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	must(t, err)
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(after)[0])
	return kb >> 10
}

// treeMB returns the memory of a process and of all its descendants. Each page counts once, also if several share it.
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
		t.Fatalf("the invocation was not cold: %s", log)
	}
	d, err := time.ParseDuration(string(took[1]) + "ms")
	must(t, err)
	return d
}

// TestNumbers prints times, but requires none.
func TestNumbers(t *testing.T) {
	if !*numbers {
		t.Skip("make bench-lab runs this test")
	}
	file := builtSmall(t)
	functions := []spec{{id: "F", files: map[string]string{"bootstrap": file}, props: map[string]any{"MemorySize": 1769, "Timeout": 60}}}
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
		emulator := exec.CommandContext(t.Context(), rie, "--runtime-interface-emulator-address", address, "--runtime-api-address", runtimeAPI, file)
		must(t, emulator.Start())
		t.Cleanup(func() { emulator.Process.Kill(); emulator.Wait() })
		listening(t, address)
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
	t.Logf("lab       cold p50 (update, invoke) of a Go bootstrap on system calls: %s; without its own INIT %s", milliseconds(p50(cold)), milliseconds(p50(own)))
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
					t.Errorf("one of 500 environments more: %d %s %v", status, body, err)
				}
			})
		}
	}
	time.Sleep(15 * time.Second)
	t.Logf("lab       with 500 environments more: %d MB in all processes", treeMB(pid))
	wait.Wait()
}
