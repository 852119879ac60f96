package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// functions is the double with the functions F, which has two versions, and Image. It notes the updates, invocations and
// deletions that reach it.
type functions struct {
	*double.Lambda
	mu    sync.Mutex
	calls []string
}

func newFunctions(t *testing.T) *functions {
	three := 3
	f := double.Configuration("F", 128)
	f.ReservedConcurrency = &three
	d := &functions{Lambda: double.New(f, api.Configuration{Name: "Image", PackageType: "Image"})}
	d.Run = func(r double.Run) double.Answer {
		a := double.Answer{Payload: string(r.Payload), Log: "a log line\n"}
		if a.Payload == `"fail"` {
			a.FunctionError = `"failed"`
		}
		return a
	}
	for i, code := range []string{"a", "b"} {
		d.Change("F", func(c *api.Configuration) { c.CodeSHA256 = code })
		v, err := d.Publish("F", api.Publication{})
		if err != nil || v.Version != strconv.Itoa(i+1) {
			t.Fatal(v.Version, err)
		}
	}
	return d
}

func (f *functions) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

// taken returns the noted calls and forgets them.
func (f *functions) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *functions) Update(name string, u api.Update) (api.Configuration, error) {
	c, err := f.Lambda.Update(name, u)
	if err == nil {
		f.note("update %s", name)
	}
	return c, err
}

func (f *functions) Invoke(name string, in api.Invocation) (api.Result, error) {
	f.note("invoke %s %s", name, in.Payload)
	return f.Lambda.Invoke(name, in)
}

func (f *functions) DeleteVersion(name, version string) error {
	f.note("delete %s %s", name, version)
	return f.Lambda.DeleteVersion(name, version)
}

type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request. request is "METHOD path". header has names and values in turn.
func send(t *testing.T, server *httptest.Server, request string, body io.Reader, header ...string) reply {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	if !strings.HasPrefix(path, "/20") {
		path = api.Prefix + path
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

// serve serves the functions and gives the versions 1 and 2 of F the aliases a and b.
func serve(t *testing.T, f *functions) *httptest.Server {
	server := httptest.NewServer(api.Handler(f))
	t.Cleanup(server.Close)
	for i, alias := range []string{"a", "b"} {
		if got := send(t, server, "POST /F/aliases", strings.NewReader(fmt.Sprintf(`{"Name":%q,"FunctionVersion":"%d"}`, alias, i+1))); got.status != 201 {
			t.Fatal(got)
		}
	}
	return server
}

// Each route, with a correct request: the status and a part of the answer.
func TestRoutes(t *testing.T) {
	f := newFunctions(t)
	server := serve(t, f)
	for _, test := range []struct {
		request, body string
		status        int
		want          string // in the body
		call          string // to the backend
	}{
		{"GET /", "", 200, `"Functions":[{"FunctionName":"F"`, ""},
		{"GET ?MaxItems=1", "", 200, `"NextMarker":"1"`, ""},
		{"GET /?Marker=1", "", 200, `"Functions":[{"FunctionName":"Image"`, ""},
		{"GET /F", "", 200, `"Concurrency":{"ReservedConcurrentExecutions":3}`, ""},
		{"GET /Image", "", 200, `"RepositoryType":"ECR"`, ""},
		{"GET /F/configuration?Qualifier=1", "", 200, `"Version":"1"`, ""},
		{"GET /arn:aws:lambda:us-east-1:000000000000:function:F:1/configuration", "", 200, `"Version":"1"`, ""},
		{"GET /F%3A1/configuration", "", 200, `"Version":"1"`, ""},
		{"PUT /F/configuration", `{"MemorySize":10240,"Timeout":900,"EphemeralStorage":{"Size":10240},"RevisionId":"r6"}`, 200, `"FunctionName":"F"`, "update F"},
		{"PUT /F/configuration", ``, 200, `"LastUpdateStatus":"Successful"`, "update F"},
		{"POST /F/invocations", `{"a":1}`, 200, `{"a":1}`, `invoke F {"a":1}`},
		{"POST /F/invocations", ``, 200, `{}`, `invoke F {}`},
		{"POST /F/invocations?Qualifier=$LATEST", `1`, 200, `1`, `invoke F 1`},
		{"POST /F/invocations?Qualifier=1", `1`, 200, `1`, `invoke F:1 1`},
		{"POST /000000000000:function:F/invocations", `null`, 200, `null`, `invoke F null`},
		{"POST /F/versions", `{}`, 201, `"Version":"3"`, ""},
		{"GET /F/versions", "", 200, `"Versions":[{`, ""},
		{"DELETE /F?Qualifier=3", "", 204, "", "delete F 3"},
		{"POST /F/aliases", `{"Name":"live","FunctionVersion":"1"}`, 201, `"Name":"live"`, ""},
		{"GET /F/aliases/live", "", 200, `"FunctionVersion":"1"`, ""},
		{"PUT /F/aliases/live", `{"FunctionVersion":"2"}`, 200, `"Name":"live"`, ""},
		{"GET /F/aliases?MaxItems=1", "", 200, `"Name":"a"`, ""},
		{"GET /F/aliases?FunctionVersion=2", "", 200, `"Name":"b"`, ""},
		{"DELETE /F/aliases/live", "", 204, "", ""},
	} {
		got := send(t, server, test.request, strings.NewReader(test.body))
		if got.status != test.status || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.request, got.status, got.body, test.status, test.want)
		}
		if got.status != http.StatusNoContent && (got.header.Get("Content-Type") != "application/json" || got.header.Get(api.HeaderRequestID) == "" || !json.Valid([]byte(got.body))) {
			t.Errorf("%s: header %v, body %s", test.request, got.header, got.body)
		}
		if calls := strings.Join(f.taken(), ", "); calls != test.call {
			t.Errorf("%s: calls %q, want %q", test.request, calls, test.call)
		}
	}
}

// The answer to each mistake must have AWS's status, type and form. No mistake may update or invoke a function.
func TestMistakes(t *testing.T) {
	f := newFunctions(t)
	server := serve(t, f)
	long := strings.Repeat("x", arm.MaxPayload)
	for _, test := range []struct {
		request, body string
		status        int
		kind          string
		message       string
		header        []string
	}{
		{"POST /H/invocations", `{}`, 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"GET /H", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"GET /H/configuration", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"PUT /H/configuration", "{}", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"POST /H/versions", "{}", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"POST /F/invocations?Qualifier=7", `{}`, 404, "ResourceNotFoundException", "Function not found: F:7", nil},
		{"POST /F:live/invocations", `{}`, 404, "ResourceNotFoundException", "Function not found: F:live", nil},
		{"POST /F:1/invocations?Qualifier=2", `{}`, 400, "InvalidParameterValueException", "does not match the specified qualifier", nil},
		{"POST /arn:aws:s3:::bucket/invocations", `{}`, 400, "ValidationException", "is neither a name nor an ARN", nil},
		{"POST /F/invocations", `{"a":`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"POST /F/invocations", "{\"u\":\"Beno\xeet\"}", 400, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json: Invalid UTF-8", nil},
		{"POST /F/invocations", "\xff", 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"POST /F/invocations", `"` + long + `"`, 413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation", nil},
		{"POST /F/invocations", `"` + long[:arm.MaxAsyncPayload] + `"`, 413, "RequestTooLargeException", "smaller than 1048576 bytes", []string{api.HeaderType, "Event"}},
		{"POST /F/invocations", `{}`, 400, "InvalidParameterValueException", "is unknown: use RequestResponse, Event or DryRun", []string{api.HeaderType, "Later"}},
		{"POST /F/invocations", `{}`, 400, "InvalidParameterValueException", "X-Amz-Client-Context", []string{api.HeaderClientContext, "no base64!"}},
		{"PUT /F/configuration", `{"MemorySize":127}`, 400, "ValidationException", "MemorySize 127 is not between 128 and 10240", nil},
		{"PUT /F/configuration", `{"Timeout":0}`, 400, "ValidationException", "Timeout 0 is not between 1 and 900", nil},
		{"PUT /F/configuration", `{"EphemeralStorage":{"Size":1}}`, 400, "ValidationException", "EphemeralStorage.Size 1 is not between", nil},
		{"PUT /F/configuration", `{"RevisionId":"r0"}`, 412, "PreconditionFailedException", "does not match the latest RevisionId", nil},
		{"PUT /F/configuration", `{"MemorySize":"many"}`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"PUT /F/configuration", `<html>`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"PUT /F/configuration", `{"Runtime":"python3.13","MemorySize":256}`, 400, "InvalidParameterValueException", "the lab cannot set Runtime of a function", nil},
		{"PUT /F/configuration", `{"VpcConfig":{"SubnetIds":["a"]},"Role":"arn:other"}`, 400, "InvalidParameterValueException", "the lab cannot set Role, VpcConfig of", nil},
		{"PUT /F/configuration", `{"LoggingConfig":{"LogFormat":"XML"}}`, 400, "InvalidParameterValueException", "the lab can set LoggingConfig.LogFormat to Text or JSON", nil},
		{"PUT /F/configuration", `{"VpcConfig":{"SubnetIds":["s"],"SecurityGroupIds":["g"]}}`, 400, "InvalidParameterValueException", "VpcConfig", nil},
		{"PUT /F/configuration", `{"TracingConfig":{"Mode":"Active"},"SnapStart":{"ApplyOn":"PublishedVersions"}}`, 400, "InvalidParameterValueException", "SnapStart, TracingConfig", nil},
		{"POST /F/aliases", `{"Name":"c","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}`, 400, "InvalidParameterValueException", "the lab has no RoutingConfig", nil},
		{"PUT /F/aliases/a", `{"RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}`, 400, "InvalidParameterValueException", "the lab has no RoutingConfig", nil},
		{"DELETE /H", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"GET /2015-03-31/functions/F/policy", "", 404, "ResourceNotFoundException", "the lab has no GET", nil},
		{"GET /2021-10-31/functions/H/url", "", 404, "ResourceNotFoundException", "Function not found: H", nil},
		{"DELETE /F", "", 400, "InvalidParameterValueException", "is not a version", nil},
		{"DELETE /F?Qualifier=live", "", 400, "InvalidParameterValueException", "is not a version", nil},
		{"DELETE /F?Qualifier=9", "", 404, "ResourceNotFoundException", "Function not found: F:9", nil},
		{"POST /F/aliases", `{"Name":"1","FunctionVersion":"1"}`, 400, "InvalidParameterValueException", "is not a valid alias", nil},
		{"POST /F/aliases", `{"Name":"a b","FunctionVersion":"1"}`, 400, "InvalidParameterValueException", "is not a valid alias", nil},
		{"POST /F/aliases", `{"Name":"a","FunctionVersion":"1"}`, 409, "ResourceConflictException", "The resource exists already: F:a", nil},
		{"POST /F/aliases", `[]`, 400, "InvalidRequestContentException", "Could not parse request body into json", nil},
		{"GET /F/aliases/none", "", 404, "ResourceNotFoundException", "", nil},
		{"GET /?MaxItems=0", "", 400, "InvalidParameterValueException", "MaxItems must be 1 to 10000", nil},
		{"GET /?MaxItems=x", "", 400, "InvalidParameterValueException", "MaxItems must be 1 to 10000", nil},
		{"POST /", `{}`, 404, "UnknownOperationException", "the lab has no POST /2015-03-31/functions/", nil},
		{"DELETE /F/configuration", "", 404, "UnknownOperationException", "the lab has no DELETE", nil},
		{"GET /2021-10-31/functions/F/url", "", 404, "ResourceNotFoundException", "the lab has no GET", nil},
	} {
		got := send(t, server, test.request, strings.NewReader(test.body), test.header...)
		var document struct {
			Type, Message string
		}
		if err := json.Unmarshal([]byte(got.body), &document); err != nil {
			t.Errorf("%s: %v: %s", test.request, err, got.body)
		}
		if got.status != test.status || got.header.Get("X-Amzn-Errortype") != test.kind || !strings.Contains(document.Message, test.message) || document.Type != "User" || got.header.Get(api.HeaderRequestID) == "" {
			t.Errorf("%s %.40s: %d %s: %s; want %d %s: %s", test.request, test.body, got.status, got.header.Get("X-Amzn-Errortype"), got.body, test.status, test.kind, test.message)
		}
	}
	for _, call := range f.taken() {
		if strings.HasPrefix(call, "invoke") || strings.HasPrefix(call, "update") {
			t.Errorf("a mistake reached the functions: %s", call)
		}
	}
}

// Tools send a whole configuration, so an update that sets what is already set must be accepted.
func TestUpdatesThatChangeNothing(t *testing.T) {
	server := serve(t, newFunctions(t))
	for _, body := range []string{`{"Role":"arn:aws:iam::000000000000:role/lab","Layers":[],"VpcConfig":{"SubnetIds":[]},"TracingConfig":{"Mode":"PassThrough"}}`,
		`{"SnapStart":{"ApplyOn":"None"},"KMSKeyArn":"","DeadLetterConfig":{}}`} {
		if got := send(t, server, "PUT /F/configuration", strings.NewReader(body)); got.status != 200 {
			t.Errorf("%s: %+v", body, got)
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
		got, err := api.FunctionName(test.name, test.qualifier)
		if got != test.want && test.want != "" || (err != nil) != (test.want == "") {
			t.Errorf("name %q, qualifier %q: %q, %v; want %q", test.name, test.qualifier, got, err, test.want)
		}
	}
}
