package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
)

// event is an invocation. Its outcome is sent on the channel outcome.
type event struct {
	id       string
	body     string
	deadline time.Duration // 0: a minute
	header   map[string]string
	hangUp   bool // the API closes the connection after the first piece of the response, and that piece is the outcome
	outcome  chan outcome
}

// outcome is a POST to /response or /error.
type outcome struct {
	event  string
	verb   string // "response" or "error"
	header http.Header
	body   []byte
	pieces []piece
	done   http.Header // trailers
}

// piece is the result of one read of a body.
type piece struct {
	text string
	at   time.Time
}

// runtimeAPI is a Runtime API to which a test gives events one by one, for any number of connections. The API of package
// conformance has a fixed list of events, and can misbehave.
type runtimeAPI struct {
	*http.Server
	address    string
	events     chan *event
	registered chan http.Header // POST /extension/register
	extension  chan http.Header // GET /extension/event/next
	initErrors chan string
	asked      chan struct{} // one for each GET /next
	drop       chan struct{} // a value sent here closes a connection with a waiting GET /next

	mu      sync.Mutex
	pending map[string]*event
	closing chan struct{}
}

func serveAPI(t testing.TB) *runtimeAPI {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &runtimeAPI{address: listener.Addr().String(), events: make(chan *event), registered: make(chan http.Header, 9),
		extension: make(chan http.Header, 9), initErrors: make(chan string, 9), asked: make(chan struct{}, 1<<20), drop: make(chan struct{}),
		pending: map[string]*event{}, closing: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{verb}", a.post)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.initErrors <- string(body)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, r *http.Request) {
		a.registered <- r.Header
		w.Header().Set("Lambda-Extension-Identifier", "identifier-1")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		a.extension <- r.Header
		<-a.closing
	})
	a.Server = &http.Server{Handler: mux}
	go func() { _ = a.Serve(listener) }()
	t.Cleanup(func() {
		close(a.closing)
		_ = a.Close()
	})
	return a
}

func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.asked <- struct{}{}
	select {
	case <-a.closing:
	case <-r.Context().Done():
	case <-a.drop:
		panic(http.ErrAbortHandler)
	case e := <-a.events:
		a.mu.Lock()
		a.pending[e.id] = e
		a.mu.Unlock()
		deadline := e.deadline
		if deadline == 0 {
			deadline = time.Minute
		}
		for name, value := range e.header {
			w.Header().Set("Lambda-Runtime-"+name, value)
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(deadline).UnixMilli()))
		_, _ = io.WriteString(w, e.body)
	}
}

func (a *runtimeAPI) post(w http.ResponseWriter, r *http.Request) {
	o := outcome{event: r.PathValue("id"), verb: r.PathValue("verb"), header: r.Header}
	b := make([]byte, 64<<10)
	a.mu.Lock()
	e := a.pending[o.event]
	delete(a.pending, o.event)
	a.mu.Unlock()
	for {
		n, err := r.Body.Read(b)
		if n > 0 {
			o.body = append(o.body, b[:n]...)
			o.pieces = append(o.pieces, piece{string(b[:n]), time.Now()})
			if e != nil && e.hangUp {
				e.outcome <- o
				panic(http.ErrAbortHandler)
			}
		}
		if err != nil {
			break
		}
	}
	o.done = r.Trailer
	if e == nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	e.outcome <- o
}

// invoke gives one event to the bootstrap and waits for its outcome.
func (a *runtimeAPI) invoke(t testing.TB, e event) outcome {
	t.Helper()
	e.outcome = make(chan outcome, 1)
	if e.id == "" {
		e.id = "id-1"
	}
	select {
	case a.events <- &e:
	case <-time.After(30 * time.Second):
		t.Fatalf("no GET /next for event %s", e.id)
	}
	select {
	case o := <-e.outcome:
		return o
	case <-time.After(30 * time.Second):
		t.Fatalf("no outcome of event %s", e.id)
	}
	return outcome{}
}

// environment is a running bootstrap.
type environment struct {
	*exec.Cmd
	api    *runtimeAPI
	root   string
	stderr *buffer
	exited chan error
}

// buffer is a log that can be read while it is being written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var (
	buildOnce sync.Once
	built     string
	buildErr  error
)

func TestMain(m *testing.M) {
	os.Exit(lab.Within(func() int {
		status := m.Run()
		if built != "" {
			os.RemoveAll(filepath.Dir(built))
		}
		return status
	}))
}

// bootstrapBinary returns the path of the program, built as packages build it.
func bootstrapBinary(t testing.TB) string {
	t.Helper()
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "rawsyscall")
		if err != nil {
			buildErr = err
			return
		}
		built = filepath.Join(dir, "bootstrap")
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -E=main.entry", "-o", built, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			buildErr = fmt.Errorf("%w: %s", err, output)
		}
	})
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return built
}

// start starts a bootstrap with this text as handler.sh.
func start(t testing.TB, handler string, env ...string) *environment {
	t.Helper()
	return startBinary(t, bootstrapBinary(t), handler, env...)
}

func startBinary(t testing.TB, binary, handler string, env ...string) *environment {
	t.Helper()
	e := &environment{api: serveAPI(t), root: t.TempDir(), stderr: &buffer{}, exited: make(chan error, 1)}
	if err := os.WriteFile(filepath.Join(e.root, "handler.sh"), []byte(handler), 0o644); err != nil {
		t.Fatal(err)
	}
	e.Cmd = exec.Command(binary)
	e.Dir, e.Stderr, e.WaitDelay = "/", e.stderr, time.Second
	e.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	e.Env = append([]string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + e.api.address, "LAMBDA_TASK_ROOT=" + e.root,
		"_HANDLER=handler.run"}, env...)
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { e.exited <- e.Wait() }()
	t.Cleanup(func() {
		_ = e.Process.Kill()
		select {
		case <-e.exited:
		case <-time.After(10 * time.Second):
			t.Error("the bootstrap does not end")
		}
		if t.Failed() {
			t.Logf("stderr: %s", e.stderr)
		}
	})
	return e
}

// ends waits for the end of the bootstrap and returns its status.
func (e *environment) ends(t testing.TB) int {
	t.Helper()
	select {
	case err := <-e.exited:
		e.exited <- err
	case <-time.After(30 * time.Second):
		t.Fatal("the bootstrap goes on")
	}
	return e.ProcessState.ExitCode()
}

// ready waits until the bootstrap asks for an event.
func (e *environment) ready(t testing.TB) {
	t.Helper()
	select {
	case <-e.api.asked:
	case <-time.After(30 * time.Second):
		t.Fatalf("no GET /next; stderr: %s", e.stderr)
	}
}

// logs waits until the log contains a text.
func (e *environment) logs(t testing.TB, part string) {
	t.Helper()
	for range 3000 {
		if strings.Contains(e.stderr.String(), part) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log lacks %q: %q", part, e.stderr)
}
