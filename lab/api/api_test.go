package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// functions is a Backend that keeps configurations and runs nothing: what is tested here is what HTTP makes of its answers.
type functions struct {
	mu      sync.Mutex
	list    []Configuration
	aliases map[string]Alias
	calls   []string // what was asked for
	busy    bool     // every invocation is one too many
}

func newFunctions() *functions {
	three := 3
	return &functions{aliases: map[string]Alias{}, list: []Configuration{
		{Name: "F", Version: Latest, ARN: "arn:aws:lambda:us-east-1:000000000000:function:F", PackageType: "Zip", Runtime: "provided.al2023", Handler: "handler.run",
			MemorySizeMB: 128, TimeoutSeconds: 3, EphemeralStorageMB: 512, Architecture: "arm64", RevisionID: "r1", LastModified: time.Unix(0, 0), ReservedConcurrency: &three},
		{Name: "Image", Version: Latest, PackageType: "Image", RevisionID: "r1"},
	}}
}

func (f *functions) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *functions) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *functions) List() []Configuration { return f.list }

func (f *functions) Function(name string) (Configuration, error) {
	base, qualifier, _ := strings.Cut(name, ":")
	i := slices.IndexFunc(f.list, func(c Configuration) bool { return c.Name == base })
	if i < 0 || qualifier != "" && qualifier != "1" {
		return Configuration{}, NotFound(name, []string{"F", "Image"})
	}
	c := f.list[i]
	if qualifier != "" {
		c.Version = qualifier
	}
	return c, nil
}

func (f *functions) Update(_ context.Context, name string, u Update) (Configuration, error) {
	c, err := f.Function(name)
	if err == nil && u.RevisionID != "" && u.RevisionID != c.RevisionID {
		err = PreconditionFailed()
	}
	if err == nil {
		f.note("update %s", name)
	}
	return c, err
}

func (f *functions) Invoke(_ context.Context, name string, in Invocation) (Result, error) {
	if f.busy {
		return Result{}, Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	f.note("invoke %s %s", name, in.Payload)
	result := Result{RequestID: in.RequestID, Payload: in.Payload, Log: []byte("a log line\n")}
	if string(in.Payload) == `"fail"` {
		result.FunctionError = "Unhandled"
	}
	return result, nil
}

func (f *functions) Publish(_ context.Context, name string, _ Publication) (Configuration, error) {
	c, err := f.Function(name)
	c.Version = "1"
	return c, err
}

func (f *functions) Versions(name string) ([]Configuration, error) {
	c, err := f.Function(name)
	return []Configuration{c}, err
}

func (f *functions) DeleteVersion(name, version string) error {
	f.note("delete %s %s", name, version)
	_, err := f.Function(name + ":" + version)
	return err
}

func (f *functions) Aliases(name string) ([]Alias, error) {
	_, err := f.Function(name)
	return []Alias{{Name: "a", Version: "1"}, {Name: "b", Version: "2"}}, err
}

func (f *functions) Alias(name, alias string) (Alias, error) {
	a, ok := f.aliases[alias]
	if !ok {
		return a, NotFound(name, nil)
	}
	return a, nil
}

func (f *functions) CreateAlias(_ string, a Alias) (Alias, error) {
	if _, ok := f.aliases[a.Name]; ok {
		return a, &Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: "Alias already exists"}
	}
	f.aliases[a.Name] = a
	return a, nil
}

func (f *functions) UpdateAlias(name string, a Alias) (Alias, error) { return f.Alias(name, a.Name) }

func (f *functions) DeleteAlias(string, string) error { return nil }

type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request: "METHOD path"; header is name, value and so on.
func send(t *testing.T, server *httptest.Server, request string, body io.Reader, header ...string) reply {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	if !strings.HasPrefix(path, "/20") {
		path = prefix + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

func serve(t *testing.T, f *functions) *httptest.Server {
	server := httptest.NewServer(Handler(f))
	t.Cleanup(server.Close)
	return server
}

// Every route, as it is meant: the status and a part of the answer.
func TestRoutes(t *testing.T) {
	f := newFunctions()
	server := serve(t, f)
	for _, test := range []struct {
		request, body string
		status        int
		want          string // in the body
		call          string // to the backend
	}{
		{"GET /", "", 200, `"Functions":[{"FunctionName":"F"`, ""},
		{"GET ?MaxItems=1", "", 200, `"NextMarker":"Image"`, ""},
		{"GET /?Marker=Image", "", 200, `"Functions":[{"FunctionName":"Image"`, ""},
		{"GET /F", "", 200, `"Concurrency":{"ReservedConcurrentExecutions":3}`, ""},
		{"GET /Image", "", 200, `"RepositoryType":"ECR"`, ""},
		{"GET /F/configuration?Qualifier=1", "", 200, `"Version":"1"`, ""},
		{"GET /arn:aws:lambda:us-east-1:000000000000:function:F:1/configuration", "", 200, `"Version":"1"`, ""},
		{"GET /F%3A1/configuration", "", 200, `"Version":"1"`, ""},
		{"PUT /F/configuration", `{"MemorySize":10240,"Timeout":900,"EphemeralStorage":{"Size":10240},"RevisionId":"r1"}`, 200, `"FunctionName":"F"`, "update F"},
		{"PUT /F/configuration", ``, 200, `"LastUpdateStatus":"Successful"`, "update F"},
		{"POST /F/invocations", `{"a":1}`, 200, `{"a":1}`, `invoke F {"a":1}`},
		{"POST /F/invocations", ``, 200, `{}`, `invoke F {}`},
		{"POST /F/invocations?Qualifier=$LATEST", `1`, 200, `1`, `invoke F 1`},
		{"POST /F/invocations?Qualifier=1", `1`, 200, `1`, `invoke F:1 1`},
		{"POST /000000000000:function:F/invocations", `null`, 200, `null`, `invoke F null`},
		{"POST /F/versions", `{}`, 201, `"Version":"1"`, ""},
		{"GET /F/versions", "", 200, `"Versions":[{`, ""},
		{"DELETE /F?Qualifier=1", "", 204, "", "delete F 1"},
		{"POST /F/aliases", `{"Name":"live","FunctionVersion":"1"}`, 201, `"Name":"live"`, ""},
		{"GET /F/aliases/live", "", 200, `"FunctionVersion":"1"`, ""},
		{"PUT /F/aliases/live", `{"FunctionVersion":"2"}`, 200, `"Name":"live"`, ""},
		{"GET /F/aliases?MaxItems=1", "", 200, `{"Aliases":[{"AliasArn":"","Name":"a"`, ""},
		{"GET /F/aliases?FunctionVersion=2", "", 200, `"Aliases":[{"AliasArn":"","Name":"b"`, ""},
		{"DELETE /F/aliases/live", "", 204, "", ""},
	} {
		got := send(t, server, test.request, strings.NewReader(test.body))
		if got.status != test.status || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.request, got.status, got.body, test.status, test.want)
		}
		if got.status != http.StatusNoContent && (got.header.Get("Content-Type") != "application/json" || got.header.Get(headerRequestID) == "" || !json.Valid([]byte(got.body))) {
			t.Errorf("%s: header %v, body %s", test.request, got.header, got.body)
		}
		if calls := strings.Join(f.taken(), ", "); calls != test.call {
			t.Errorf("%s: calls %q, want %q", test.request, calls, test.call)
		}
	}
}

// Every mistake has AWS's status, type and shape, and reaches no function.
func TestMistakes(t *testing.T) {
	f := newFunctions()
	f.aliases["taken"] = Alias{Name: "taken"}
	server := serve(t, f)
	long := strings.Repeat("x", MaxPayload)
	for _, test := range []struct {
		request, body string
		status        int
		kind          string
		message       string
		header        []string
	}{
		{"POST /H/invocations", `{}`, 404, "ResourceNotFoundException", "Function not found: H; the lab has F, Image", nil},
		{"GET /H", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"GET /H/configuration", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"PUT /H/configuration", "{}", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"POST /H/versions", "{}", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"POST /F/invocations?Qualifier=7", `{}`, 404, "ResourceNotFoundException", "Function not found: F:7", nil},
		{"POST /F:live/invocations", `{}`, 404, "ResourceNotFoundException", "Function not found: F:live", nil},
		{"POST /F:1/invocations?Qualifier=2", `{}`, 400, "InvalidParameterValueException", "does not match the specified qualifier", nil},
		{"POST /arn:aws:s3:::bucket/invocations", `{}`, 400, "InvalidParameterValueException", "is neither a name nor an ARN", nil},
		{"POST /F/invocations", `{"a":`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"POST /F/invocations", "\xff", 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"POST /F/invocations", `"` + long + `"`, 413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation", nil},
		{"POST /F/invocations", `"` + long[:MaxAsyncPayload] + `"`, 413, "RequestTooLargeException", "smaller than 1048576 bytes", []string{headerType, "Event"}},
		{"POST /F/invocations", `{}`, 400, "InvalidParameterValueException", "is none of RequestResponse, Event, DryRun", []string{headerType, "Later"}},
		{"POST /F/invocations", `{}`, 400, "InvalidParameterValueException", "X-Amz-Client-Context", []string{headerClientContext, "no base64!"}},
		{"PUT /F/configuration", `{"MemorySize":127}`, 400, "InvalidParameterValueException", "MemorySize 127 is not between 128 and 10240", nil},
		{"PUT /F/configuration", `{"Timeout":0}`, 400, "InvalidParameterValueException", "Timeout 0 is not between 1 and 900", nil},
		{"PUT /F/configuration", `{"EphemeralStorage":{"Size":1}}`, 400, "InvalidParameterValueException", "EphemeralStorage.Size 1 is not between", nil},
		{"PUT /F/configuration", `{"RevisionId":"r0"}`, 412, "PreconditionFailedException", "does not match the latest RevisionId", nil},
		{"PUT /F/configuration", `{"MemorySize":"many"}`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"PUT /F/configuration", `<html>`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"DELETE /F", "", 400, "InvalidParameterValueException", "is no version", nil},
		{"DELETE /F?Qualifier=live", "", 400, "InvalidParameterValueException", "is no version", nil},
		{"DELETE /F?Qualifier=9", "", 404, "ResourceNotFoundException", "Function not found: F:9", nil},
		{"POST /F/aliases", `{"Name":"1","FunctionVersion":"1"}`, 400, "InvalidParameterValueException", "is no alias's", nil},
		{"POST /F/aliases", `{"Name":"a b","FunctionVersion":"1"}`, 400, "InvalidParameterValueException", "is no alias's", nil},
		{"POST /F/aliases", `{"Name":"taken","FunctionVersion":"1"}`, 409, "ResourceConflictException", "Alias already exists", nil},
		{"POST /F/aliases", `[]`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"GET /F/aliases/none", "", 404, "ResourceNotFoundException", "", nil},
		{"GET /?MaxItems=0", "", 400, "InvalidParameterValueException", "MaxItems must be 1 to 10000", nil},
		{"GET /?MaxItems=x", "", 400, "InvalidParameterValueException", "MaxItems must be 1 to 10000", nil},
		{"POST /", `{}`, 404, "UnknownOperationException", "the lab has no POST /2015-03-31/functions/", nil},
		{"DELETE /F/configuration", "", 404, "UnknownOperationException", "the lab has no DELETE", nil},
		{"GET /2021-10-31/functions/F/url", "", 404, "UnknownOperationException", "the lab has no GET", nil},
	} {
		got := send(t, server, test.request, strings.NewReader(test.body), test.header...)
		var document struct {
			Type, Message string
		}
		if err := json.Unmarshal([]byte(got.body), &document); err != nil {
			t.Errorf("%s: %v: %s", test.request, err, got.body)
		}
		if got.status != test.status || got.header.Get("X-Amzn-Errortype") != test.kind || !strings.Contains(document.Message, test.message) || document.Type != "User" || got.header.Get(headerRequestID) == "" {
			t.Errorf("%s %.40s: %d %s: %s; want %d %s: %s", test.request, test.body, got.status, got.header.Get("X-Amzn-Errortype"), got.body, test.status, test.kind, test.message)
		}
	}
	for _, call := range f.taken() {
		if strings.HasPrefix(call, "invoke") || strings.HasPrefix(call, "update") {
			t.Errorf("the backend was asked to %s", call)
		}
	}
}

// The limits are in bytes and inclusive, whether the length is announced or not.
func TestPayloadsUpToTheLimit(t *testing.T) {
	server := serve(t, newFunctions())
	for _, test := range []struct {
		kind   string
		size   int
		status int
	}{{"RequestResponse", MaxPayload, 200}, {"RequestResponse", MaxPayload + 1, 413}, {"Event", MaxAsyncPayload, 202}, {"Event", MaxAsyncPayload + 1, 413}} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(`"` + strings.Repeat("x", test.size-2) + `"`)
			if chunked {
				body = io.MultiReader(body)
			}
			if got := send(t, server, "POST /F/invocations", body, headerType, test.kind); got.status != test.status {
				t.Errorf("%s, %d bytes, chunked %v: %d %.100s", test.kind, test.size, chunked, got.status, got.body)
			}
		}
	}
}

func TestThrottling(t *testing.T) {
	f := newFunctions()
	f.busy = true
	got := send(t, serve(t, f), "POST /F/invocations", strings.NewReader("{}"))
	if got.status != 429 || got.header.Get("X-Amzn-Errortype") != "TooManyRequestsException" || !strings.Contains(got.body, `"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"`) {
		t.Errorf("got %+v", got)
	}
}

func TestAnswersOfAnInvocation(t *testing.T) {
	server := serve(t, newFunctions())
	got := send(t, server, "POST /F/invocations?Qualifier=1", strings.NewReader(`"fail"`), headerLogType, "Tail")
	log, err := base64.StdEncoding.DecodeString(got.header.Get(headerLogResult))
	if got.header.Get(headerFunctionError) != "Unhandled" || got.header.Get(headerVersion) != "1" || err != nil || string(log) != "a log line\n" {
		t.Errorf("got %+v", got)
	}
	got = send(t, server, "POST /F/invocations", strings.NewReader(`"fine"`))
	if got.header.Get(headerFunctionError) != "" || got.header.Get(headerVersion) != Latest || got.header.Get(headerLogResult) != "" {
		t.Errorf("got %+v", got)
	}
	for kind, status := range map[string]int{"Event": 202, "DryRun": 204} {
		if got := send(t, server, "POST /F/invocations", strings.NewReader(`{}`), headerType, kind); got.status != status || got.body != "" {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ name, qualifier, want string }{
		{"F", "", "F"}, {"F", "$LATEST", "F"}, {"F", "live", "F:live"}, {"F:1", "", "F:1"}, {"F:1", "1", "F:1"}, {"F:1", "2", ""},
		{"function:F", "", "F"}, {"000000000000:function:F", "", "F"}, {"000000000000:function:F:1", "", "F:1"},
		{"arn:aws:lambda:us-east-1:000000000000:function:F", "live", "F:live"}, {"arn:aws:lambda:us-east-1:000000000000:function:F:1", "", "F:1"},
		{"us-east-1:000000000000:function:F", "", "F"}, {"", "", ""}, {"F:1:2", "", ""}, {"F G", "", ""}, {"../F", "", ""}, {"arn:aws:lambda:us-east-1:000000000000:layer:F", "", ""},
	} {
		got, err := functionName(test.name, test.qualifier)
		if got != test.want && test.want != "" || (err != nil) != (test.want == "") {
			t.Errorf("%s, %s: %s, %v", test.name, test.qualifier, got, err)
		}
	}
}
