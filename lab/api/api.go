// Package api speaks Lambda's own REST API over HTTP, so that an AWS SDK, the AWS CLI or boto3 with an endpoint override cannot tell
// the lab from Lambda. It has what measuring, tuning and deploying need; see operations.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html.
package api

import (
	"context"
	"net/http"
	"time"
)

// Backend runs the functions. A name may be name:qualifier, a version or an alias, where something is read or invoked.
type Backend interface {
	// List returns every function, in the order of names.
	List() []Configuration
	// Function returns one. Its error, like that of all methods here, is an *Error where AWS has a name for it.
	Function(name string) (Configuration, error)
	// Update changes a configuration; environments of the old one are not used any more once it returns.
	Update(ctx context.Context, name string, u Update) (Configuration, error)
	// Invoke runs a function once. If the function fails, that is not an error but a Result with a FunctionError.
	Invoke(ctx context.Context, name string, in Invocation) (Result, error)
	Publisher
}

// Configuration is what Lambda calls FunctionConfiguration.
type Configuration struct {
	Name               string
	Version            string // Latest, or a number
	ARN                string
	Description        string
	PackageType        string // "Zip" or "Image"
	Runtime            string // "" for an image
	Handler            string // "" for an image
	MemorySizeMB       int
	TimeoutSeconds     int
	EphemeralStorageMB int
	// ReservedConcurrency is how many invocations of all versions there may be at once; nil for no limit of the function's own.
	ReservedConcurrency *int
	Architecture        string
	Environment         map[string]string
	Initialization      string // AWS_LAMBDA_INITIALIZATION_TYPE; "" is on-demand
	Image               ImageConfig
	CodeSize            int64  // bytes
	CodeSHA256          string // base64
	LogGroup            string
	LogFormat           string // "Text" or "JSON"
	RevisionID          string // changes with every update
	LastModified        time.Time

	// What a function is while something happens to it, see
	// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html. The lab leaves them empty: what it answers is done.
	State, StateReason                       string // "" is Active
	LastUpdateStatus, LastUpdateStatusReason string // "" is Successful
	// Extra is merged into the JSON: fields that this package has no name for, such as CapacityProviderConfig. Code is merged into what
	// GetFunction says of the code, such as ImageUri.
	Extra, Code map[string]any
}

// Reference is what the methods of a Backend take for it: the name, with the version where that is not Latest.
func (c Configuration) Reference() string {
	if c.Version == "" || c.Version == Latest {
		return c.Name
	}
	return c.Name + ":" + c.Version
}

// ImageConfig overrides what an image says.
type ImageConfig struct {
	Command          []string `json:",omitempty"`
	EntryPoint       []string `json:",omitempty"`
	WorkingDirectory string   `json:",omitempty"`
}

// Update is UpdateFunctionConfiguration's request; nil leaves as it is.
type Update struct {
	Description        *string
	Handler            *string
	MemorySizeMB       *int
	TimeoutSeconds     *int
	EphemeralStorageMB *int
	Environment        *map[string]string
	Image              *ImageConfig
	RevisionID         string // where not empty, the revision that the caller believes to change
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID     string // "" for one of the backend's making
	Payload       []byte
	ClientContext string // JSON
	TraceID       string // "" for one of the backend's making
	ARN           string // that the function was invoked by, with its version or alias; "" for the function's own
	Counts        bool   // the caller wants the lab's own line in the log, too
}

// Result is what came of it.
type Result struct {
	RequestID     string
	Payload       []byte
	FunctionError string // "Unhandled", or "" for success
	Log           []byte // of this invocation, the last LogTail bytes
}

// LogTail is how much of the log X-Amz-Log-Result gives, in bytes.
const LogTail = 4 << 10

const prefix = "/2015-03-31/functions"

// Handler serves the API over a backend, to programs of this machine.
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
	retries []time.Duration // before each further attempt at an event that failed
}
