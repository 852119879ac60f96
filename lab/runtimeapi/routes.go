package runtimeapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
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

// outcome takes the response to the current invocation, or its failure.
func (s *Server) outcome(kind Kind, from ...state) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := arrival(r)
		if !s.isCurrent(w, r) {
			return
		}
		body, err := read(r)
		if err != nil {
			s.refuseBody(w, err)
			return
		}
		event := Event{Kind: kind, At: at, RequestID: r.PathValue("id"), Body: body}
		if failed := r.Trailer.Get(headerErrorType); failed != "" { // a streamed response that failed before its end
			event.Kind, event.ErrorType, event.Body = Failure, failed, trailerBody(r)
		} else if kind == Failure {
			event.ErrorType = r.Header.Get(headerErrorType)
		}
		s.accept(w, event, answered, from...)
	}
}

// restoreNext answers when the environment may go on. A bootstrap that has lost its connection may ask again.
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

// fatal takes an error after which the bootstrap should exit.
func (s *Server) fatal(from state) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := arrival(r)
		body, err := read(r)
		if err != nil {
			s.refuseBody(w, err)
			return
		}
		s.accept(w, Event{Kind: InitError, At: at, Body: body, ErrorType: r.Header.Get(headerErrorType)}, broken, from)
	}
}

// accept changes the state, tells the lab and answers 202. If the current state is not in from, it answers 403.
func (s *Server) accept(w http.ResponseWriter, e Event, to state, from ...state) {
	if !s.enter(to, from...) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
		return
	}
	answer(w, http.StatusAccepted, map[string]string{"status": "OK"})
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

var errTooLarge = errors.New("body too large")

// drain reads more of a body than is used, so that the sender can read the answer and does not get a reset.
func drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 64<<20) }

// read reads a body of up to MaxResponse bytes, with a length or chunked.
func read(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxResponse {
		drain(r)
		return nil, errTooLarge
	}
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead) // with room to see the end without growing
	_, err := body.ReadFrom(io.LimitReader(r.Body, MaxResponse+1))
	if err == nil && body.Len() > MaxResponse {
		drain(r)
		err = errTooLarge
	}
	return body.Bytes(), err
}

// trailerBody returns the error document of a streamed response. If it is not base64, it is returned unchanged.
func trailerBody(r *http.Request) []byte {
	text := r.Trailer.Get(headerErrorBody)
	if body, err := base64.StdEncoding.DecodeString(text); err == nil {
		return body
	}
	return []byte(text)
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	answer(w, status, map[string]string{"errorMessage": message, "errorType": errorType})
}

func answer(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document) // fails only if the caller has gone
}

// INIT ends when a request arrives, not when its handler runs: in between net/http parses the request and starts
// goroutines. So each connection notes when the first bytes of a request were read.

type stampingListener struct{ net.Listener }

func (l stampingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stampedConn{Conn: conn}, nil
}

type stampedConn struct {
	net.Conn
	first atomic.Pointer[time.Time] // time when the first bytes of the current request were read
}

func (c *stampedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.first.Load() == nil {
		now := time.Now()
		c.first.CompareAndSwap(nil, &now)
	}
	return n, err
}

type connKey struct{}

func stamped(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// arrival returns the time when r began to arrive. It may be called once per request; later reads of the body do
// not count for the next request.
func arrival(r *http.Request) time.Time {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		if at := c.first.Swap(nil); at != nil {
			return *at
		}
	}
	return time.Now()
}

// done ends a request. What is read from now on belongs to the next request.
func done(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		c.first.Store(nil)
	}
}
