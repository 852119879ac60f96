package power

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// server speaks Lambda's API for one function, F, as AWS does: updates take a while, revisions change, a version that an alias names
// cannot be deleted. What it measures is arithmetic: 100 ms of CPU work.
type server struct {
	*httptest.Server
	name         string // of the function
	architecture string
	mu           sync.Mutex
	config       config
	revision     int
	versions     map[string]config
	aliases      map[string]string
	next         int
	busy         int // looks that still see an update under way
	slow         int // busy after each update
	warm         map[string]bool
	calls        []string // operation and what it is about
	refuse       func(call string) (status int, code string)
	before       func(call string) // runs outside the lock
	report       func(c config, event string, cold bool) reply
	inside       int
	widest       int
	events       map[string]int
}

type config struct {
	Memory int
	Env    map[string]string
	Code   string
}

// reply is what an invocation does.
type reply struct {
	duration, init, restore float64
	used                    int
	failure                 string // payload of a function error
	status                  string // of REPORT
	payload                 string
	noReport                bool
}

const functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:F"

func newServer(t *testing.T) *server {
	s := &server{name: "F", architecture: "arm64", config: config{1024, map[string]string{"KEEP": "me"}, "sha"}, revision: 1, versions: map[string]config{"1": {1024, map[string]string{"KEEP": "me"}, "sha"}},
		aliases: map[string]string{"live": "1"}, next: 2, warm: map[string]bool{}, events: map[string]int{}, slow: 1}
	s.report = func(c config, _ string, cold bool) reply {
		r := reply{duration: 100 / min(1, float64(c.Memory)/1769), used: 60}
		if cold {
			r.init = 50
		}
		return r
	}
	mux := http.NewServeMux()
	const f = "/2015-03-31/functions/{name}"
	mux.HandleFunc("GET "+f+"/configuration", s.locked("get", s.get))
	mux.HandleFunc("PUT "+f+"/configuration", s.locked("configure", s.put))
	mux.HandleFunc("POST "+f+"/versions", s.locked("publish", s.publish))
	mux.HandleFunc("GET "+f+"/versions", s.locked("versions", s.list))
	mux.HandleFunc("DELETE "+f, s.locked("delete", s.delete))
	mux.HandleFunc("POST "+f+"/aliases", s.locked("alias", s.createAlias))
	mux.HandleFunc("PUT "+f+"/aliases/{alias}", s.locked("update-alias", s.updateAlias))
	mux.HandleFunc("DELETE "+f+"/aliases/{alias}", s.locked("delete-alias", s.deleteAlias))
	mux.HandleFunc("GET "+f+"/aliases", s.locked("aliases", s.listAliases))
	mux.HandleFunc("POST "+f+"/invocations", s.locked("invoke", s.invoke))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *server) client() *lambda.Client { return clientOf(s.URL) }

// byFunction sends a call to the server whose function it names.
type byFunction []*server

func (b byFunction) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, s := range b {
		if strings.Contains(r.URL.Path, "/functions/"+s.name+"/") || strings.HasSuffix(r.URL.Path, "/functions/"+s.name) {
			s.Config.Handler.ServeHTTP(w, r)
		}
	}
}

func clientOf(endpoint string) *lambda.Client {
	return lambda.New(lambda.Options{BaseEndpoint: &endpoint, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 2; o.MaxBackoff = 1e6 })})
}

func (s *server) locked(operation string, serve func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call := strings.TrimSpace(operation + " " + r.URL.Query().Get("Qualifier") + r.PathValue("alias"))
		if s.before != nil {
			s.before(call)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = append(s.calls, call)
		w.Header().Set("X-Amzn-RequestId", fmt.Sprint("id-", len(s.calls)))
		if name := r.PathValue("name"); name != s.name && name != functionARN && name != "pre" && name != "post" {
			fail(w, 404, "ResourceNotFoundException", "Function not found: "+name)
			return
		}
		if s.refuse != nil {
			if status, code := s.refuse(call); status != 0 {
				fail(w, status, code, "as asked")
				return
			}
		}
		serve(w, r)
	}
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	answer(w, map[string]string{"Message": message, "Type": "User"})
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func (s *server) document(version string, c config) map[string]any {
	return map[string]any{"FunctionName": s.name, "PackageType": "Zip", "FunctionArn": functionARN, "Version": version, "MemorySize": c.Memory, "Timeout": 3, "CodeSha256": c.Code,
		"Architectures": []string{s.architecture}, "Environment": map[string]any{"Variables": c.Env}, "State": "Active", "LastUpdateStatus": "Successful",
		"RevisionId": fmt.Sprint("r", s.revision)}
}

func (s *server) get(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query().Get("Qualifier")
	if q != "" && q != "$LATEST" {
		c, _, ok := s.resolve(q)
		if !ok {
			fail(w, 404, "ResourceNotFoundException", "no "+q)
			return
		}
		answer(w, s.document(q, c))
		return
	}
	d := s.document("$LATEST", s.config)
	if s.busy > 0 {
		s.busy--
		d["LastUpdateStatus"] = "InProgress"
	}
	answer(w, d)
}

func (s *server) resolve(q string) (c config, version string, ok bool) {
	if v, isAlias := s.aliases[q]; isAlias {
		q = v
	}
	c, ok = s.versions[q]
	return c, q, ok
}

func (s *server) put(w http.ResponseWriter, r *http.Request) {
	var in struct {
		MemorySize  int
		Environment struct{ Variables map[string]string }
		RevisionID  string `json:"RevisionId"`
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &in); err != nil {
		fail(w, 400, "InvalidParameterValueException", err.Error())
		return
	}
	if s.busy > 0 {
		fail(w, 409, "ResourceConflictException", "an update is in progress")
		return
	}
	if in.RevisionID != "" && in.RevisionID != fmt.Sprint("r", s.revision) {
		fail(w, 412, "PreconditionFailedException", "revision")
		return
	}
	s.config.Memory, s.config.Env = in.MemorySize, in.Environment.Variables
	s.revision++
	s.busy = s.slow
	d := s.document("$LATEST", s.config)
	d["LastUpdateStatus"] = "InProgress"
	answer(w, d)
}

// change is somebody else's update.
func (s *server) change(change func(*config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
	s.revision++
}

func (s *server) publish(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RevisionID string `json:"RevisionId"`
	}
	body, _ := io.ReadAll(r.Body)
	json.Unmarshal(body, &in)
	if in.RevisionID != "" && in.RevisionID != fmt.Sprint("r", s.revision) {
		fail(w, 412, "PreconditionFailedException", "revision")
		return
	}
	// As on AWS a configuration that the last version has already gets no new one.
	version := strconv.Itoa(s.next - 1)
	if last, ok := s.versions[version]; !ok || last.Memory != s.config.Memory || !maps.Equal(last.Env, s.config.Env) {
		version = strconv.Itoa(s.next)
		s.next++
		s.versions[version] = config{s.config.Memory, maps.Clone(s.config.Env), s.config.Code}
		s.revision++
	}
	w.WriteHeader(201)
	answer(w, s.document(version, s.versions[version]))
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	all := []map[string]any{s.document("$LATEST", s.config)}
	for _, v := range sortedKeys(s.versions) {
		all = append(all, s.document(v, s.versions[v]))
	}
	at, _ := strconv.Atoi(r.URL.Query().Get("Marker"))
	page := map[string]any{"Versions": all[min(at, len(all)):min(at+3, len(all))]}
	if at+3 < len(all) {
		page["NextMarker"] = strconv.Itoa(at + 3)
	}
	answer(w, page)
}

func (s *server) delete(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query().Get("Qualifier")
	if q == "" {
		panic("the function itself would be deleted")
	}
	for a, v := range s.aliases {
		if v == q {
			fail(w, 409, "ResourceConflictException", "alias "+a+" names it")
			return
		}
	}
	if _, ok := s.versions[q]; !ok {
		fail(w, 404, "ResourceNotFoundException", "no "+q)
		return
	}
	delete(s.versions, q)
	w.WriteHeader(204)
}

func (s *server) createAlias(w http.ResponseWriter, r *http.Request) {
	var in struct{ Name, FunctionVersion string }
	body, _ := io.ReadAll(r.Body)
	json.Unmarshal(body, &in)
	if _, ok := s.aliases[in.Name]; ok {
		fail(w, 409, "ResourceConflictException", "Alias already exists")
		return
	}
	s.aliases[in.Name] = in.FunctionVersion
	w.WriteHeader(201)
	answer(w, in)
}

func (s *server) updateAlias(w http.ResponseWriter, r *http.Request) {
	var in struct{ FunctionVersion string }
	body, _ := io.ReadAll(r.Body)
	json.Unmarshal(body, &in)
	s.aliases[r.PathValue("alias")] = in.FunctionVersion
	answer(w, in)
}

func (s *server) deleteAlias(w http.ResponseWriter, r *http.Request) {
	delete(s.aliases, r.PathValue("alias"))
	w.WriteHeader(204)
}

func (s *server) listAliases(w http.ResponseWriter, _ *http.Request) {
	var all []map[string]string
	for _, a := range sortedKeys(s.aliases) {
		all = append(all, map[string]string{"Name": a, "FunctionVersion": s.aliases[a]})
	}
	answer(w, map[string]any{"Aliases": all})
}

func (s *server) invoke(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.events[string(body)]++
	if name := r.PathValue("name"); name != s.name && name != functionARN {
		s.processor(w, name, string(body))
		return
	}
	q := r.URL.Query().Get("Qualifier")
	c, version, ok := s.resolve(q)
	if !ok {
		fail(w, 404, "ResourceNotFoundException", "no "+q)
		return
	}
	s.inside++
	s.widest = max(s.widest, s.inside)
	s.mu.Unlock() // let others in
	s.mu.Lock()
	s.inside--
	cold := !s.warm[version]
	s.warm[version] = true
	got := s.report(c, string(body), cold)
	id := w.Header().Get("X-Amzn-RequestId")
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t", id, got.duration,
		math.Ceil(got.duration+got.init), c.Memory, got.used)
	if got.init > 0 {
		line += fmt.Sprintf("Init Duration: %.2f ms\t", got.init)
	}
	if got.restore > 0 {
		line += fmt.Sprintf("Restore Duration: %.2f ms\tBilled Restore Duration: %.0f ms\t", got.restore, math.Ceil(got.restore))
	}
	if got.status != "" {
		line += "Status: " + got.status + "\t"
	}
	if got.noReport {
		line = "hello"
	}
	w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte("START RequestId: "+id+"\nEND RequestId: "+id+"\n"+line+"\n")))
	if got.failure != "" {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		io.WriteString(w, got.failure)
		return
	}
	io.WriteString(w, got.payload+"{}")
}

func (s *server) processor(w http.ResponseWriter, name, event string) {
	switch {
	case strings.Contains(event, "break "+name):
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		io.WriteString(w, `{"errorType":"Broken","errorMessage":"by the test"}`)
	case name == "pre" && strings.Contains(event, "replace"):
		io.WriteString(w, `{"replaced":true}`)
	}
}

// untouched fails the test unless the function is as it was.
func (s *server) untouched(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.Memory != 1024 || !maps.Equal(s.config.Env, map[string]string{"KEEP": "me"}) {
		t.Errorf("$LATEST is left with %+v", s.config)
	}
	if got := sortedKeys(s.versions); !slices.Equal(got, []string{"1"}) {
		t.Errorf("versions are left: %q", got)
	}
	if got := sortedKeys(s.aliases); !slices.Equal(got, []string{"live"}) {
		t.Errorf("aliases are left: %q", got)
	}
}
