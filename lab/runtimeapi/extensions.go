package runtimeapi

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// The headers of the Extensions API. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const (
	headerExtensionName = "Lambda-Extension-Name"
	headerExtensionID   = "Lambda-Extension-Identifier"
)

const extensionPrefix = "/2020-01-01/extension"

// maxExtensions is Lambda's limit.
const maxExtensions = 10

// Function is what an extension learns about the function when it registers.
type Function struct {
	Name    string `json:"functionName"`
	Version string `json:"functionVersion"`
	Handler string `json:"handler"`
}

type extension struct {
	name   string
	events []string
	queue  chan extensionEvent // events that it has not received yet
	ready  bool                // it has received every event and asked for another
}

// extensionEvent is an event for an extension. Only an INVOKE has the last three fields. Only a SHUTDOWN has a reason.
type extensionEvent struct {
	Type       string            `json:"eventType"`
	Reason     string            `json:"shutdownReason,omitempty"`
	DeadlineMs int64             `json:"deadlineMs"`
	RequestID  string            `json:"requestId,omitempty"`
	ARN        string            `json:"invokedFunctionArn,omitempty"`
	Tracing    map[string]string `json:"tracing,omitempty"`
}

// Extend sets the function that extensions belong to, and the names of external extensions, which are programs of their
// own. Any other extension is internal: part of the bootstrap.
func (s *Server) Extend(of Function, external []string) { s.function, s.external = of, external }

// Extensions returns the number of registered extensions, and how many of them are still busy with INIT or with the
// current invocation.
func (s *Server) Extensions() (registered, working int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.extensions {
		if registered++; !e.ready {
			working++
		}
	}
	return registered, working
}

// tell gives an event to every extension that has registered for its type. The caller holds s.mu.
func (s *Server) tell(event extensionEvent) {
	for _, e := range s.extensions {
		if slices.Contains(e.events, event.Type) {
			e.ready = false
			select {
			case e.queue <- event:
			default: // it has not received the previous event yet
			}
		}
	}
}

// Shutdown tells extensions that the environment will end.
func (s *Server) Shutdown(reason string, deadline time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(extensionEvent{Type: "SHUTDOWN", Reason: reason, DeadlineMs: deadline.UnixMilli()})
}

// register answers an extension that registers.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(headerExtensionName)
	var in struct {
		Events            []string `json:"events"`
		ConfigurationKeys []string `json:"configurationKeys"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in)
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, message := s.forbidden(name, in.Events)
	if err != nil || len(in.ConfigurationKeys) > 0 {
		kind, message = "InvalidRequestFormat", `want {"events":["INVOKE","SHUTDOWN"]}`
	}
	if kind != "" {
		refuse(w, http.StatusForbidden, kind, message)
		return
	}
	id := rand.Text()
	if s.extensions == nil {
		s.extensions = map[string]*extension{}
	}
	s.extensions[id] = &extension{name: name, events: in.Events, queue: make(chan extensionEvent, 2)}
	w.Header().Set(headerExtensionID, id)
	answer(w, http.StatusOK, s.function)
	go s.emit(Event{Kind: Extension})
}

// forbidden returns the error if an extension cannot register for these events, else "". The caller holds s.mu.
func (s *Server) forbidden(name string, events []string) (kind, message string) {
	external := slices.Contains(s.external, name)
	switch {
	case name == "":
		return "Extension.NameInvalid", "Empty extension name"
	case !external && s.state != initialising:
		return "Extension.RegistrationClosed", "Extension registration closed already"
	case len(s.extensions) >= maxExtensions:
		return "Extension.TooManyExtensions", "Extension limit (10) reached"
	}
	for _, event := range events {
		if event != "INVOKE" && (event != "SHUTDOWN" || !external) {
			return "Extension.InvalidEventType",
				event + ": an internal extension can register for INVOKE, an external one also for SHUTDOWN"
		}
	}
	for _, e := range s.extensions {
		if e.name == name {
			return "Extension.InvalidExtensionState", "Extension with this name already registered"
		}
	}
	return "", ""
}

// extensionNext answers when there is an event for an extension, or when the environment ends.
func (s *Server) extensionNext(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	s.mu.Lock()
	e := s.extensions[r.Header.Get(headerExtensionID)]
	if e != nil && len(e.queue) == 0 {
		e.ready = true
	}
	s.mu.Unlock()
	if e == nil {
		const kind = "Extension.UnknownExtensionIdentifier"
		refuse(w, http.StatusForbidden, kind, "Unknown extension "+r.Header.Get(headerExtensionID))
		return
	}
	s.emit(Event{Kind: Extension, At: at})
	select {
	case event := <-e.queue:
		answer(w, http.StatusOK, event)
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// extensionFailed answers an extension that reports an error and will exit. The lab acts on the exit.
func (s *Server) extensionFailed(w http.ResponseWriter, r *http.Request) {
	drain(r)
	refuse(w, http.StatusAccepted, "", "OK")
}

// notSupported answers a subscription to logs or telemetry as AWS's emulator does. Extensions go on without it.
func notSupported(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusAccepted, kind, kind) }
}
