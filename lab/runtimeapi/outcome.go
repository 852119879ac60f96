package runtimeapi

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
)

// outcome receives the response to the current invocation, or its error.
func (s *Server) outcome(kind Kind, from ...state) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := arrival(r)
		if !s.isCurrent(w, r) {
			return
		}
		body, ok := s.read(w, r)
		if !ok {
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

// fatal receives an error after which the bootstrap should exit.
func (s *Server) fatal(from state) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := arrival(r)
		body, ok := s.read(w, r)
		if !ok {
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

// isCurrent reports whether a request is about the current invocation. For any other request ID it answers 400.
// If an earlier invocation had the same request ID and the request is about that one, it answers 410. Only clients that
// send the Invocation-Id can get 410. Its error type is in https://github.com/aws/aws-lambda-dotnet/pull/2508.
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

// drain reads the rest of a body that is too large. Otherwise the sender would get a reset and not the answer.
func drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 64<<20) }

// read reads a body of up to MaxResponse bytes, with a length or chunked. It answers 413 if the body is too large; the
// bootstrap may then report Function.ResponseSizeTooLarge. It answers 400 if the body is incomplete.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (_ []byte, ok bool) {
	var body bytes.Buffer
	// ReadFrom needs MinRead more bytes to see the end without growing.
	body.Grow(int(min(max(r.ContentLength, 0), MaxResponse)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(r.Body, MaxResponse+1))
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "InvalidRequest", "reading the body: "+err.Error())
	case body.Len() > MaxResponse:
		drain(r)
		if s.enter(refused, invoking) {
			s.emit(Event{Kind: TooLarge})
		}
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"Exceeded maximum allowed payload size ("+strconv.Itoa(MaxResponse)+" bytes).")
	default:
		return body.Bytes(), true
	}
	return nil, false
}

// trailerBody returns the error document of a streamed response. If it is not base64, it is returned unchanged.
func trailerBody(r *http.Request) []byte {
	text := r.Trailer.Get(headerErrorBody)
	if body, err := base64.StdEncoding.DecodeString(text); err == nil {
		return body
	}
	return []byte(text)
}
