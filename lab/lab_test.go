package lab_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
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

// log collects the log of a lab.
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

// await waits until the log contains a text.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	for range 200 {
		if strings.Contains(l.String(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %q in %s", text, l)
}

// newLab runs an assembly with the given functions.
func newLab(t testing.TB, specs ...spec) *lab.Lab {
	t.Helper()
	return openLab(t, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB}, specs...)
}

func logTo(l *log) lab.Options { return lab.Options{Log: l} }

func openLab(t testing.TB, options lab.Options, specs ...spec) *lab.Lab {
	t.Helper()
	options.Functions = functionsOf(t, specs...)
	l, err := lab.New(t.Context(), options)
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

// serveVariable turns the test binary into a lab of the assembly that it names. The lab invokes every function,
// prints a line, and keeps running.
const serveVariable = "LAB_TEST_SERVE"

// listenVariable makes that lab serve the API at an address instead, until it is interrupted.
const listenVariable = "LAB_TEST_LISTEN"

func serve(dir string) error {
	functions, err := functionsIn(dir)
	if err != nil {
		return err
	}
	l, err := lab.New(context.Background(), lab.Options{Functions: functions, StateDir: os.Getenv("LAB_TEST_STATE"), Concurrency: 600, Freeze: os.Getenv("LAB_TEST_FREEZE") != ""})
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
		if _, err := l.Invoke(context.Background(), f.LogicalID, api.Invocation{Payload: []byte(`{}`)}); err != nil {
			return err
		}
		if _, err := l.Update(context.Background(), f.LogicalID, api.Update{}); err != nil { // so that an environment is prepared
			return err
		}
		if _, err := l.Invoke(context.Background(), f.LogicalID, api.Invocation{Payload: []byte(`{}`)}); err != nil {
			return err
		}
		if _, err := l.Update(context.Background(), f.LogicalID, api.Update{}); err != nil {
			return err
		}
	}
	go l.Invoke(context.Background(), l.Functions()[0].LogicalID, api.Invocation{Payload: []byte(`{"do":"shell","path":"sleep 100 & sleep 100"}`)})
	time.Sleep(300 * time.Millisecond)
	fmt.Println("serving")
	select {}
}

// eventually waits until look finds nothing more.
func eventually(t *testing.T, what string, look func() string) {
	t.Helper()
	var left string
	for range 100 {
		if left = look(); left == "" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s are left: %s", what, left)
}
