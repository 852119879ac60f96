package measure

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// server speaks Lambda's API over real HTTP, with the faults that the driver must live with. One per test.
type server struct {
	*httptest.Server
	mu        sync.Mutex
	functions map[string]*fn
	log       []string // "update f", "invoke f cold", in order

	looks    int  // how many looks at a configuration after an update still see the old, Successful state
	progress int  // and how many then see InProgress
	sync     bool // updates are done when they return, as in the lab

	invoke  func(f *fn, n int, w http.ResponseWriter) bool // n-th invocation of all, from 1; true: it has answered
	update  func(f *fn, n int, w http.ResponseWriter) bool
	report  func(f *fn, cold bool, line string) string // changes the log tail
	invokes int
	updates int
	inside  int // invocations now; more than one at a time
	widest  int
}

type fn struct {
	name     string
	env      map[string]string
	revision int
	warm     bool
	stale    int // looks that still show the revision before
	busy     int // looks that then show InProgress
	inside   bool
	modified string
	extra    map[string]any // merged into the configuration
}

func newServer(t *testing.T, names ...string) *server {
	s := &server{functions: map[string]*fn{}}
	for _, n := range names {
		s.functions[n] = &fn{name: n, env: map[string]string{"KEEP": "me"}, revision: 1, modified: "2020-01-01T00:00:00.000+0000"}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2015-03-31/functions/{name}/configuration", s.get)
	mux.HandleFunc("PUT /2015-03-31/functions/{name}/configuration", s.put)
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", s.post)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// answer writes a body; a client that has gone, as after Ctrl-C, does not need one.
func answer(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	answer(w, map[string]string{"Message": message, "Type": "User"})
}

func (s *server) find(w http.ResponseWriter, r *http.Request) *fn {
	f := s.functions[r.PathValue("name")]
	if f == nil {
		fail(w, 404, "ResourceNotFoundException", "Function not found: "+r.PathValue("name"))
	}
	return f
}

func (s *server) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.find(w, r); f != nil {
		s.configuration(w, f)
	}
}

func (s *server) configuration(w http.ResponseWriter, f *fn) {
	revision, status := f.revision, "Successful"
	switch {
	case f.stale > 0:
		f.stale--
		revision--
	case f.busy > 0:
		f.busy--
		status = "InProgress"
	}
	out := map[string]any{
		"FunctionName": f.name, "RevisionId": fmt.Sprint("r", revision), "LastUpdateStatus": status, "State": "Active",
		"Environment": map[string]any{"Variables": f.env}, "LastModified": f.modified,
	}
	for k, v := range f.extra {
		out[k] = v
	}
	answer(w, out)
}

func (s *server) put(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.find(w, r)
	if f == nil {
		return
	}
	if f.stale+f.busy > 0 {
		fail(w, 409, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress")
		return
	}
	if s.updates++; s.update != nil && s.update(f, s.updates, w) {
		return
	}
	var in struct {
		Environment struct{ Variables map[string]string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, 400, "InvalidParameterValueException", err.Error())
		return
	}
	f.env, f.warm = in.Environment.Variables, false
	f.revision++
	s.log = append(s.log, "update "+f.name)
	if !s.sync {
		f.stale, f.busy = s.looks, s.progress+1
	}
	s.configuration(w, f)
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.find(w, r)
	if f == nil {
		return
	}
	s.invokes++
	id := fmt.Sprintf("id-%d", s.invokes)
	w.Header().Set("X-Amzn-RequestId", id)
	if f.inside {
		panic("two invocations of one function at a time")
	}
	if s.invoke != nil && s.invoke(f, s.invokes, w) {
		return
	}
	// A function that is still being updated serves from its old environment.
	cold := !f.warm && f.stale == 0 && f.busy == 0
	kind := "warm"
	if cold {
		kind = "cold"
	}
	s.log = append(s.log, "invoke "+f.name+" "+kind)
	f.inside = true
	s.inside++
	s.widest = max(s.widest, s.inside)
	s.mu.Unlock() // let others in, as Lambda does
	s.mu.Lock()
	f.inside = false
	s.inside--

	f.warm = true
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\t", id)
	if cold {
		line += "Init Duration: 10.25 ms\t"
	}
	if s.report != nil {
		line = s.report(f, cold, line)
	}
	tail := "START RequestId: " + id + " Version: $LATEST\nEND RequestId: " + id + "\n" + line + "\n"
	if cold {
		tail += "LAB RequestId: " + id + "\tInit Read: 620 KiB\tInit Read Chunks: 2\tFirst Response Read: 628 KiB\n"
	}
	w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(tail)))
	answer(w, map[string]bool{"ok": true})
}
