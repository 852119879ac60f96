// Package api serves Lambda's REST API over HTTP. An AWS SDK, the AWS CLI or boto3 with an endpoint override can
// use the lab like Lambda. It implements what measuring, tuning and deploying need; see operations. See
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html.
package api

import (
	"context"
	"net/http"
	"time"
)

// Backend runs the functions. For reads and invocations a name may be name:qualifier, where the qualifier is a
// version or an alias.
type Backend interface {
	// List returns every function in the order of their names.
	List() []Configuration
	// Function returns one function. All methods here return an *Error if AWS has a name for the error.
	Function(name string) (Configuration, error)
	// Update changes a configuration. When it returns, environments of the old configuration are no longer used.
	Update(ctx context.Context, name string, u Update) (Configuration, error)
	// Invoke runs a function once. If the function fails, the Result has a FunctionError and the error is nil.
	Invoke(ctx context.Context, name string, in Invocation) (Result, error)
	Publisher
}

// Configuration is what Lambda calls FunctionConfiguration.
type Configuration struct {
	Name               string
	Version            string // Latest or a number
	ARN                string
	Description        string
	PackageType        string // "Zip" or "Image"
	Runtime            string // "" for an image
	Handler            string // "" for an image
	MemorySizeMB       int
	TimeoutSeconds     int
	EphemeralStorageMB int
	// ReservedConcurrency is the most invocations of all versions at the same time; nil means that the function has
	// no limit.
	ReservedConcurrency *int
	Architecture        string
	Environment         map[string]string
	Initialization      string // AWS_LAMBDA_INITIALIZATION_TYPE; "" means on-demand
	Image               ImageConfig
	CodeSize            int64  // bytes
	CodeSHA256          string // base64
	LogGroup            string
	LogFormat           string // "Text" or "JSON"
	RevisionID          string // changes with every update
	LastModified        time.Time

	// These are set while a function changes, see
	// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html. The lab leaves them empty, because every
	// change is complete when it answers.
	State, StateReason                       string // "" is Active
	LastUpdateStatus, LastUpdateStatusReason string // "" is Successful
	// Extra is merged into the JSON: fields that this package does not define, such as CapacityProviderConfig. Code
	// is merged into the Code object of GetFunction's answer, such as ImageUri.
	Extra, Code map[string]any
}

// Reference is the name that the methods of a Backend take for this function, with the version unless that is
// Latest.
func (c Configuration) Reference() string {
	if c.Version == "" || c.Version == Latest {
		return c.Name
	}
	return c.Name + ":" + c.Version
}

// ImageConfig overrides settings of an image.
type ImageConfig struct {
	Command          []string `json:",omitempty"`
	EntryPoint       []string `json:",omitempty"`
	WorkingDirectory string   `json:",omitempty"`
}

// Update is the request of UpdateFunctionConfiguration. A nil field is not changed.
type Update struct {
	Description        *string
	Handler            *string
	MemorySizeMB       *int
	TimeoutSeconds     *int
	EphemeralStorageMB *int
	Environment        *map[string]string
	Image              *ImageConfig
	RevisionID         string // if not empty, the update fails unless this is the current revision
}

// Apply makes the changes.
func (u Update) Apply(c *Configuration) {
	Set(&c.Description, u.Description)
	Set(&c.Handler, u.Handler)
	Set(&c.MemorySizeMB, u.MemorySizeMB)
	Set(&c.TimeoutSeconds, u.TimeoutSeconds)
	Set(&c.EphemeralStorageMB, u.EphemeralStorageMB)
	Set(&c.Environment, u.Environment)
	Set(&c.Image, u.Image)
}

// Set sets what is given.
func Set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID     string // if "", the backend makes one
	Payload       []byte
	ClientContext string // JSON
	TraceID       string // if "", the backend makes one
	ARN           string // the ARN that the caller used, with version or alias; if "", the function's own
	Counts        bool   // the caller also wants the lab's own line in the log
}

// Result is the outcome of an invocation.
type Result struct {
	RequestID     string
	Payload       []byte
	FunctionError string // "Unhandled", or "" for success
	Log           []byte // the last LogTail bytes of this invocation's log
}

// LogTail is how many bytes of the log X-Amz-Log-Result returns.
const LogTail = 4 << 10

const prefix = "/2015-03-31/functions"

// Handler serves the API of a backend to programs of this machine.
func Handler(b Backend) http.Handler {
	s := server{backend: b, retries: []time.Duration{time.Minute, 2 * time.Minute}}
	return s.handler()
}

func (s server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+prefix+"/{name}/invocations", s.invoke)
	mux.HandleFunc("POST /2021-11-15/functions/{name}"+streamPath, s.invoke)
	mux.HandleFunc("GET "+prefix+"/{name}/configuration", s.configuration)
	mux.HandleFunc("PUT "+prefix+"/{name}/configuration", s.update)
	mux.HandleFunc("GET "+prefix+"/{name}", s.function)
	mux.HandleFunc("POST "+prefix+"/{name}/versions", s.publish)
	mux.HandleFunc("GET "+prefix+"/{name}/versions", s.versions)
	mux.HandleFunc("DELETE "+prefix+"/{name}", s.deleteFunction)
	mux.HandleFunc("POST "+prefix+"/{name}/aliases", s.createAlias)
	mux.HandleFunc("GET "+prefix+"/{name}/aliases", s.aliases)
	mux.HandleFunc("GET "+prefix+"/{name}/aliases/{alias}", s.alias)
	mux.HandleFunc("PUT "+prefix+"/{name}/aliases/{alias}", s.updateAlias)
	mux.HandleFunc("DELETE "+prefix+"/{name}/aliases/{alias}", s.deleteAlias)
	mux.HandleFunc("GET "+prefix+"/{$}", s.list)
	mux.HandleFunc("GET "+prefix, s.list)
	if d, ok := s.backend.(Deployer); ok {
		s.deploying(mux, d)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.unknown(w, r)
	})
	return local(mux)
}

type server struct {
	backend Backend
	retries []time.Duration // waits before each further attempt at an event that failed
}
