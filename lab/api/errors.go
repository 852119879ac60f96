package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is an error with AWS's name for it.
type Error struct {
	Status  int    // HTTP status
	Code    string // ResourceNotFoundException and the like
	Message string
	Reason  string // of a TooManyRequestsException
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// NotFound is the error for a function that does not exist.
func NotFound(name string, known []string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
		Message: "Function not found: " + name + "; the lab has " + strings.Join(known, ", ")}
}

// Invalid is the error for an invalid parameter.
func Invalid(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: message}
}

// Throttled is the error for an invocation above a concurrency limit.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors.
func Throttled(reason string) *Error {
	return &Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded.", Reason: reason}
}

func tooLarge(limit int64) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException",
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit)}
}

// Fail answers with an error in AWS's form.
func Fail(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: err.Error()}
	}
	kind := "User"
	if e.Status >= 500 {
		kind = "Service"
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", e.Code)
	if h.Get(headerRequestID) == "" {
		h.Set(headerRequestID, NewID())
	}
	if e.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(e.Status)
	document := map[string]string{"Type": kind, "message": e.Message, "Message": e.Message}
	if e.Reason != "" {
		document["Reason"] = e.Reason
	}
	text, _ := json.Marshal(document)
	w.Write(text)
}
