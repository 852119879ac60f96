package lab_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVariable); dir != "" {
		fmt.Fprintln(os.Stderr, serve(dir))
		os.Exit(1)
	}
	if os.Getenv(tablesVariable) != "" {
		if err := callTables(context.Background()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ok")
		os.Exit(0)
	}
	flag.Parse()
	flag.Set("test.parallel", "8") // the tests wait most of the time
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// log is a lab's log in memory.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until the log contains a text. After a minute the test ends.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	for range 1200 {
		if strings.Contains(l.String(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("after a minute the log has no %q: %s", text, l)
}

// newLab starts a lab with the given functions and ends it with the test.
func newLab(t testing.TB, specs ...spec) *lab.Lab {
	t.Helper()
	return openLab(t, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB}, specs...)
}

func logTo(l *log) lab.Options { return lab.Options{Log: l} }

func openLab(t testing.TB, options lab.Options, specs ...spec) *lab.Lab {
	t.Helper()
	options.Functions = functionsOf(t, specs...)
	l, err := lab.New(options)
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

// serveVariable names an assembly. It turns the test binary into a lab, which invokes every function of the assembly,
// prints a line, and keeps running.
const serveVariable = "LAB_TEST_SERVE"

// listenVariable is an address. If it is set, that lab invokes nothing, but serves the API there until it is
// interrupted.
const listenVariable = "LAB_TEST_LISTEN"

func serve(dir string) error {
	functions, err := functionsIn(dir)
	if err != nil {
		return err
	}
	l, err := lab.New(lab.Options{Functions: functions, StateDir: os.Getenv("LAB_TEST_STATE"), Concurrency: 600, Freeze: os.Getenv("LAB_TEST_FREEZE") != ""})
	if err != nil {
		return err
	}
	if address := os.Getenv(listenVariable); address != "" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := api.NewServer(l)
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt)
		go func() { <-stop; server.Close() }()
		server.Serve(listener)
		return l.Close()
	}
	for _, f := range l.Functions() {
		if _, err := l.Invoke(f.LogicalID, api.Invocation{Payload: []byte(`{}`)}); err != nil {
			return err
		}
		// After an update the lab prepares an environment.
		if _, err := l.Update(f.LogicalID, api.Update{}); err != nil {
			return err
		}
		if _, err := l.Invoke(f.LogicalID, api.Invocation{Payload: []byte(`{}`)}); err != nil {
			return err
		}
		if _, err := l.Update(f.LogicalID, api.Update{}); err != nil {
			return err
		}
	}
	go l.Invoke(l.Functions()[0].LogicalID, api.Invocation{Payload: []byte(`{"do":"shell","path":"sleep 100 & sleep 100"}`)})
	fmt.Println("serving")
	select {}
}

// serving starts a lab in another process and waits until it listens at the address.
func serving(t *testing.T, dir, address string, variables ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	command.Env = append(append(os.Environ(), serveVariable+"="+dir, listenVariable+"="+address), variables...)
	command.Stderr = os.Stderr
	must(t, command.Start())
	t.Cleanup(func() { command.Process.Signal(os.Interrupt); command.Wait() })
	listening(t, address)
	return command
}

// listening waits until a program listens at an address.
func listening(t *testing.T, address string) {
	t.Helper()
	for range 1200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("after a minute nothing listens at %s", address)
}

var addresses atomic.Int64

// freeAddress returns an address that no other test uses. On 127.0.0.1 another program could take the port before the
// lab does.
func freeAddress(t *testing.T) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+os.Getpid()>>8%250, os.Getpid()%256, addresses.Add(1)))
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// eventually waits until look returns "". If look still finds something after a minute, the test fails: what says what
// is wrong.
func eventually(t *testing.T, what string, look func() string) {
	t.Helper()
	var found string
	for range 1200 {
		if found = look(); found == "" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("after a minute: %s: %s", what, found)
}
