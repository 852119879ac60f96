// Package api serves Lambda's REST API over HTTP. An AWS SDK, the AWS CLI or boto3 with an endpoint override can use
// the lab like Lambda. The package implements the operations that measuring, tuning and deploying need; the constant
// operations lists them. Names of fields end in their unit: MB, seconds. See
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html.
package api

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Backend runs the functions. For reads and invocations a name may be name:version.
type Backend interface {
	// List returns every function.
	List() []Configuration
	// Function returns one function. All methods here return an *Error if AWS has a name for the error.
	Function(name string) (Configuration, error)
	// Update changes a configuration. When it returns, environments of the old configuration are no longer used.
	Update(name string, u Update) (Configuration, error)
	// Invoke runs a function once. If the function fails, the Result has a FunctionError and the error is nil.
	Invoke(name string, in Invocation) (Result, error)

	// Publish freezes $LATEST as a version. If nothing has changed since the last version, it returns that version.
	Publish(name string, p Publication) (Configuration, error)
	// Versions returns $LATEST and then all versions in ascending order.
	Versions(name string) ([]Configuration, error)
	// DeleteVersion deletes a version. Its running invocations continue.
	DeleteVersion(name, version string) error
}

// Configuration is AWS's FunctionConfiguration. Its JSON has AWS's names; document adds the fields that AWS nests.
type Configuration struct {
	Name               string `json:"FunctionName"`
	Version            string // Latest or a number
	ARN                string `json:"FunctionArn"`
	Description        string
	PackageType        string // "Zip" or "Image"
	Runtime            string `json:",omitempty"` // "" for an image
	Handler            string `json:",omitempty"` // "" for an image
	MemorySizeMB       int    `json:"MemorySize"`
	TimeoutSeconds     int    `json:"Timeout"`
	EphemeralStorageMB int    `json:"-"`
	// ReservedConcurrency is the most invocations of all versions at the same time; nil means that the function has
	// no limit.
	ReservedConcurrency *int              `json:"-"`
	Architecture        string            `json:"-"`
	Environment         map[string]string `json:"-"`
	Initialization      string            `json:"-"` // AWS_LAMBDA_INITIALIZATION_TYPE; "" means on-demand
	SnapStart           bool              `json:"-"` // versions are restored from a snapshot; $LATEST never is
	Image               ImageConfig       `json:"-"`
	Role                string
	CodeSize            int64     // bytes
	CodeSHA256          string    `json:"CodeSha256"` // base64
	LogGroup            string    `json:"-"`
	Layers              []string  `json:"-"`          // ARNs
	LogFormat           string    `json:"-"`          // "Text" or "JSON"
	RevisionID          string    `json:"RevisionId"` // changes with every update
	LastModified        time.Time `json:"-"`

	// These are set while a function changes. The lab sets them for a version with SnapStart only, because any other
	// change is complete when the lab answers.
	// See https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html.
	State                  string // "" means Active
	StateReason            string `json:",omitempty"`
	LastUpdateStatus       string // "" means Successful
	LastUpdateStatusReason string `json:",omitempty"`
	// Extra is merged into the JSON. It has fields that this package does not define, for example
	// CapacityProviderConfig. Code is merged into the Code object of GetFunction's answer; it has, for example, ImageUri.
	Extra map[string]any `json:"-"`
	Code  map[string]any `json:"-"`
}

// Reference returns the name by which a Backend knows this version of the function.
func (c Configuration) Reference() string { return reference(c.Name, c.Version) }

// ImageConfig overrides settings of an image.
type ImageConfig struct {
	Command          []string `json:",omitempty"`
	EntryPoint       []string `json:",omitempty"`
	WorkingDirectory string   `json:",omitempty"`
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID     string // if "", the backend makes one
	Payload       []byte
	ClientContext string // JSON
	TraceID       string // if "", the backend makes one
	ARN           string // with the version or alias that the caller named; if "", the function's own
	Counts        bool   // the caller wants the lab's counts in the log, too
}

// Result is the outcome of an invocation.
type Result struct {
	Payload       []byte
	FunctionError string // "Unhandled", or "" for success
	Log           []byte // the last LogTail bytes of this invocation's log
	LogStream     string // of the environment
}

// LogTail is how many bytes of the log X-Amz-Log-Result returns.
const LogTail = 4 << 10

const prefix = "/2015-03-31/functions"

// Handler serves the API of a backend to programs of this machine.
func Handler(b Backend) http.Handler {
	return newServer(b, time.Minute, 2*time.Minute).handler()
}

func newServer(b Backend, retries ...time.Duration) server {
	aliases, urls := &documents[alias]{all: map[string]alias{}}, &documents[functionURL]{all: map[string]functionURL{}}
	return server{b, aliases, urls, retries}
}

func (s server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+prefix+"/{name}/invocations", s.invoke)
	mux.HandleFunc("POST /2021-11-15/functions/{name}"+streamPath, s.invoke)
	on := routes{mux}.on
	on("GET "+prefix+"/{name}/configuration", http.StatusOK, s.configuration)
	on("PUT "+prefix+"/{name}/configuration", http.StatusOK, s.update)
	on("GET "+prefix+"/{name}", http.StatusOK, s.function)
	on("POST "+prefix+"/{name}/versions", http.StatusCreated, s.publish)
	on("GET "+prefix+"/{name}/versions", http.StatusOK, s.versions)
	on("DELETE "+prefix+"/{name}", http.StatusNoContent, s.deleteFunction)
	s.aliasRoutes(routes{mux})
	on("GET "+prefix+"/{$}", http.StatusOK, s.list)
	on("GET "+prefix, http.StatusOK, s.list)
	if d, ok := s.backend.(Deployer); ok {
		s.deploying(routes{mux}, d)
	}
	on("/", http.StatusOK, s.unknown)
	return local(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch tidy := path.Clean("/" + r.URL.Path); {
		case strings.HasPrefix(r.URL.Path, urlPath): // any path is a function's
			s.called(w, r)
		case tidy != r.URL.Path && tidy+"/" != r.URL.Path: // mux would redirect the client
			_, err := s.unknown(call{Request: r, w: w})
			Fail(w, err)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
}

// routes are the operations by method and path.
type routes struct{ *http.ServeMux }

// on answers requests: with status and the document that do returns, or with the error that do returns.
func (m routes) on(pattern string, status int, do func(call) (any, error)) {
	m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := call{Request: r, w: w}
		var err error
		if name := r.PathValue("name"); name != "" {
			c.name, err = functionName(name, "")
		}
		var answer any
		if err == nil {
			answer, err = do(c)
		}
		switch {
		case err != nil:
			Fail(w, err)
		case status == http.StatusNoContent:
			w.WriteHeader(status)
		default:
			reply(w, status, answer)
		}
	})
}

// call is one request of an operation.
type call struct {
	*http.Request
	w    http.ResponseWriter
	name string // of the function that the path names
}

// query returns a parameter of the request's address.
func (c call) query(name string) string { return c.URL.Query().Get(name) }

// read decodes the request's body, which has at most limit bytes, into each of the values.
func (c call) read(limit int64, values ...any) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, limit))
	if errors.As(err, new(*http.MaxBytesError)) {
		return NewError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes", limit))
	}
	for _, v := range values {
		if err == nil && len(bytes.TrimSpace(body)) > 0 {
			err = json.Unmarshal(body, v)
		}
	}
	if err != nil {
		return errContent("Could not parse request body into json: " + err.Error())
	}
	return nil
}

// maxRequest is the largest request without an archive, in bytes.
const maxRequest = 1 << 20

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(headerRequestID, NewID())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails only if the caller has gone
}

type server struct {
	backend Backend
	aliases *documents[alias]
	urls    *documents[functionURL]
	retries []time.Duration // waits before each further attempt at an event that failed
}

// NewID returns a random UUID. Lambda's request and revision IDs have this form.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// functionPattern is AWS's pattern for a name or an ARN, full or partial, with or without a version or an alias.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters.
var functionPattern = regexp.MustCompile(
	`^(?:(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?function:)?` +
		`([a-zA-Z0-9_-]+)(?::(\$LATEST|[a-zA-Z0-9_-]+))?$`)

// named returns a function's name with the version or alias by which it was called, and the backend's name for it.
func (s server) named(name, qualifier string) (called, of string, err error) {
	called, err = functionName(name, qualifier)
	if a, is := s.aliases.get(called); is {
		return called, reference(called[:strings.IndexByte(called, ':')], a.Version), nil
	}
	return called, called, err
}

// functionName converts any form of a function's name to name:qualifier, or to the name alone for $LATEST.
func functionName(s, qualifier string) (string, error) {
	m := functionPattern.FindStringSubmatch(s)
	if m == nil {
		return "", Unfit("Value " + strconv.Quote(s) + " at 'functionName' failed to satisfy constraint: " +
			"it is neither a name nor an ARN of a function")
	}
	name, own := m[1], m[2]
	if own != "" && qualifier != "" && own != qualifier {
		return "", Invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if own != "" {
		qualifier = own
	}
	return reference(name, qualifier), nil
}

// patience is the time that a client has to send a request. To read a large answer it has ten times as long, because
// somebody may be debugging the client.
var patience = 30 * time.Second

// maxHeader is the largest header of a request in bytes, twice what a load balancer of AWS takes.
const maxHeader = 128 << 10

// NewServer returns a server of the API. It has no time limit for answers, because an invocation takes as long as its
// function. If an invocation lasts longer than the time limit for reading, its context ends. Invocations ignore that.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadTimeout: patience, MaxHeaderBytes: maxHeader, IdleTimeout: 5 * time.Minute}
}

// local refuses requests of web pages. A page in a browser on this machine can send requests to loopback, and it can
// read the answers if the page's own host name resolves to 127.0.0.1. Such a request has another host in Host, or the
// page in Origin. If the page shows a function's URL as an image, the request has neither, but its Sec-Fetch-Site is
// cross-site or same-site.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := strings.Join(r.Header["Origin"], ", ")
		if r.Header["Origin"] != nil || strings.HasSuffix(r.Header.Get("Sec-Fetch-Site"), "-site") || !isLoopback(r.Host) {
			Fail(w, NewError(http.StatusForbidden, "AccessDeniedException", "the lab answers programs of this machine only: "+
				"call it by 127.0.0.1, [::1] or localhost, and not from a web page; Host was "+r.Host+", Origin "+origin))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// write writes an answer. A client that does not read it is cut off.
func write(w http.ResponseWriter, answer []byte) {
	if len(answer) > 64<<10 { // the kernel buffers a smaller one at once
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * patience)) // fails for a recorder
	}
	w.Write(answer)
}

func isLoopback(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
