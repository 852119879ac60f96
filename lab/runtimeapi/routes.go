package runtimeapi

import (
	"crypto/rand"
	"encoding/json"
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
	mux := &s.mux
	mux.HandleFunc("GET "+prefix+"/invocation/next", s.next)
	mux.HandleFunc("POST "+prefix+"/invocation/{id}/response", s.outcome(Response, invoking))
	mux.HandleFunc("POST "+prefix+"/invocation/{id}/error", s.outcome(Failure, invoking, refused))
	mux.HandleFunc("POST "+prefix+"/init/error", s.fatal(initialising))
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
	if !s.enter(ready, initialising, ready, answered, refused, restored) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition",
			"the current invocation has neither a response nor an error yet")
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

// restoreNext answers when the environment is restored. A bootstrap that has lost its connection can ask again.
func (s *Server) restoreNext(w http.ResponseWriter, r *http.Request) {
	at := arrival(r)
	if !s.enter(held, initialising, held) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
		return
	}
	s.emit(Event{Kind: Restore, At: at})
	select {
	case <-s.restores:
		s.enter(restored, held)
		w.WriteHeader(http.StatusOK)
	case <-r.Context().Done():
	case <-s.closed:
	}
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	answer(w, status, map[string]string{"errorMessage": message, "errorType": errorType})
}

func answer(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document) // fails only if the caller has gone
}
