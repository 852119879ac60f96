package lab_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
)

func TestMain(m *testing.M) {
	lab.MaybeRunChild()
	if dir := os.Getenv(serveVariable); dir != "" {
		fmt.Fprintln(os.Stderr, serve(dir))
		os.Exit(1)
	}
	flag.Parse()
	flag.Set("test.parallel", "8") // most of the time the tests wait
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// log collects what a lab logs.
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

// await waits until a text is logged.
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

// newLab runs an assembly of the functions given.
func newLab(t testing.TB, specs ...spec) *lab.Lab {
	t.Helper()
	return openLab(t, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB}, specs...)
}

func logTo(l *log) lab.Options { return lab.Options{Log: l} }

func openLab(t testing.TB, options lab.Options, specs ...spec) *lab.Lab {
	t.Helper()
	options.Assembly = writeAssembly(t, specs...)
	l, err := lab.New(t.Context(), options)
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}
