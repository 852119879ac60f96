package runtimeapi

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
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

// extension is a registered extension.
type extension struct {
	name   string
	events []string
	queue  chan any // events that it has not received yet
	ready  bool     // it has received all events and has asked for the next one
}

// ShutdownEvent is the last event of an extension.
type ShutdownEvent struct {
	EventType  string `json:"eventType"`
	Reason     string `json:"shutdownReason"`
	DeadlineMs int64  `json:"deadlineMs"`
}

type invokeEvent struct {
	EventType  string `json:"eventType"`
	DeadlineMs int64  `json:"deadlineMs"`
	RequestID  string `json:"requestId"`
	ARN        string `json:"invokedFunctionArn"`
	Tracing    struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"tracing"`
}

// Extend sets the function that extensions belong to, and the names of external extensions, which are programs. All
// other extensions are internal: part of the bootstrap.
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

// tell gives an event to every extension that has registered for it. The caller holds s.mu.
func (s *Server) tell(kind string, event any) {
	for _, e := range s.extensions {
		if slices.Contains(e.events, kind) {
			e.ready = false
			select {
			case e.queue <- event:
			default: // it has not received the previous event yet
			}
		}
	}
}

// Shutdown tells extensions that the environment will end.
func (s *Server) Shutdown(e ShutdownEvent) {
	e.EventType = "SHUTDOWN"
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(e.EventType, e)
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(headerExtensionName)
	var in struct {
		Events            []string `json:"events"`
		ConfigurationKeys []string `json:"configurationKeys"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in)
	external := slices.Contains(s.external, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	forbid := func(kind, message string) { refuse(w, http.StatusForbidden, "Extension."+kind, message) }
	switch {
	case name == "":
		refuse(w, http.StatusForbidden, "Extension.NameInvalid", "Empty extension name")
		return
	case err != nil || len(in.ConfigurationKeys) > 0:
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", `want {"events":["INVOKE","SHUTDOWN"]}`)
		return
	case !external && s.state != initialising:
		forbid("RegistrationClosed", "Extension registration closed already")
		return
	case len(s.extensions) >= maxExtensions:
		forbid("TooManyExtensions", "Extension limit (10) reached")
		return
	}
	for _, event := range in.Events {
		if event != "INVOKE" && (event != "SHUTDOWN" || !external) {
			forbid("InvalidEventType", event+": an internal extension can register for INVOKE, an external one also for SHUTDOWN")
			return
		}
	}
	for _, e := range s.extensions {
		if e.name == name {
			forbid("InvalidExtensionState", "Extension with this name already registered")
			return
		}
	}
	id := rand.Text()
	if s.extensions == nil {
		s.extensions = map[string]*extension{}
	}
	s.extensions[id] = &extension{name: name, events: in.Events, queue: make(chan any, 2)}
	w.Header().Set(headerExtensionID, id)
	answer(w, http.StatusOK, s.function)
	go s.emit(Event{Kind: Extension})
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
		refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+r.Header.Get(headerExtensionID))
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

// extensionFailed answers an extension that reports an error before it exits. The lab acts on the exit.
func (s *Server) extensionFailed(w http.ResponseWriter, r *http.Request) {
	drain(r)
	refuse(w, http.StatusAccepted, "", "OK")
}

// notSupported is the answer of AWS's emulator to subscriptions to logs and telemetry. Extensions go on without
// them.
func notSupported(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusAccepted, kind, kind) }
}
