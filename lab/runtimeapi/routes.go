package runtimeapi

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// The headers of the protocol. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const (
	headerRequestID     = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline      = "Lambda-Runtime-Deadline-Ms"
	headerARN           = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID       = "Lambda-Runtime-Trace-Id"
	headerClientContext = "Lambda-Runtime-Client-Context"
	headerInvocationID  = "Lambda-Runtime-Invocation-Id" // unique for each invocation, although request IDs may repeat
	headerErrorType     = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody     = "Lambda-Runtime-Function-Error-Body" // base64, a trailer of a streamed response
)

const prefix = "/2018-06-01/runtime"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"/invocation/next", s.next)
	mux.HandleFunc("POST "+prefix+"/invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+prefix+"/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+prefix+"/init/error", s.initError)
	mux.HandleFunc("POST "+extensionPrefix+"/register", s.register)
	mux.HandleFunc("GET "+extensionPrefix+"/event/next", s.extensionNext)
	mux.HandleFunc("POST "+extensionPrefix+"/init/error", s.extensionFailed)
	mux.HandleFunc("POST "+extensionPrefix+"/exit/error", s.extensionFailed)
	mux.HandleFunc("PUT /2022-07-01/telemetry", notSupported("Telemetry.NotSupported"))
	mux.HandleFunc("PUT /2020-08-15/logs", notSupported("Logs.NotSupported"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer done(r)
		s.mu.Lock()
		if len(s.calls) < maxCalls {
			s.calls = append(s.calls, r.Method+" "+r.RequestURI)
		}
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	if !s.enter(ready, initialising, ready, answered, refused) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the current invocation has neither a response nor an error yet")
		return
	}
	s.emit(Event{Kind: Next, At: at})
	select {
	case in := <-s.deliver:
		nonce := rand.Text()
		s.begin(in.Invocation, nonce)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(in.Payload)))
		h.Set(headerRequestID, in.RequestID)
		h.Set(headerInvocationID, nonce)
		h.Set(headerDeadline, strconv.FormatInt(in.Deadline.UnixMilli(), 10))
		h.Set(headerARN, in.ARN)
		h.Set(headerTraceID, in.TraceID)
		if in.ClientContext != "" {
			h.Set(headerClientContext, in.ClientContext)
		}
		in.At <- time.Now()
		w.Write(in.Payload)
	case <-r.Context().Done(): // the bootstrap has closed the connection
	case <-s.closed:
	}
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	if !s.isCurrent(w, r) {
		return
	}
	body, err := read(r)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	event := Event{Kind: Response, At: at, RequestID: r.PathValue("id"), Body: body}
	if kind := r.Trailer.Get(headerErrorType); kind != "" { // a streamed response that failed before its end
		event.Kind, event.ErrorType, event.Body = Failure, kind, trailerBody(r)
	}
	s.accept(w, event, answered, invoking)
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	if !s.isCurrent(w, r) {
		return
	}
	body, err := read(r)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	s.accept(w, Event{Kind: Failure, At: at, RequestID: r.PathValue("id"), Body: body, ErrorType: r.Header.Get(headerErrorType)},
		answered, invoking, refused)
}

func (s *Server) initError(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	body, err := read(r)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	s.accept(w, Event{Kind: InitError, At: at, Body: body, ErrorType: r.Header.Get(headerErrorType)}, broken, initialising)
}

// accept changes the state, tells the lab and answers 202. If the current state is not in from, it answers 403.
func (s *Server) accept(w http.ResponseWriter, e Event, to state, from ...state) {
	if !s.enter(to, from...) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	w.Write([]byte(`{"status":"OK"}` + "\n"))
	s.emit(e)
}

// isCurrent answers 400 if the request ID is not the current invocation's. It answers 410 to the outcome of an
// earlier invocation with the same request ID. A client that sends no Invocation-Id never gets 410.
// https://github.com/aws/aws-lambda-dotnet/pull/2508 has status and type.
func (s *Server) isCurrent(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	current := s.requestID != "" && s.requestID == r.PathValue("id")
	nonce := s.nonce
	s.mu.Unlock()
	if !current {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	if sent := r.Header.Get(headerInvocationID); sent != "" && sent != nonce {
		refuse(w, http.StatusGone, "ErrorRuntimeInvokeTimeout", "The invocation that this answers is over")
		return false
	}
	return true
}

// refuseBody answers 413 to a body that is too large; after that the bootstrap may report
// Function.ResponseSizeTooLarge. It answers 400 to a body that broke off.
func (s *Server) refuseBody(w http.ResponseWriter, err error) {
	if !errors.Is(err, errTooLarge) {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "reading the body: "+err.Error())
		return
	}
	if s.enter(refused, invoking) {
		s.emit(Event{Kind: TooLarge})
	}
	refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size ("+strconv.Itoa(MaxResponse)+" bytes).")
}
