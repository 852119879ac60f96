package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
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
	return Absent("Function not found: " + name + "; the lab has " + strings.Join(known, ", "))
}

// Absent is the error for something that does not exist.
func Absent(message string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: message}
}

// Conflict is the error for a change that the current state does not allow.
func Conflict(message string) *Error {
	return &Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: message}
}

// Invalid is the error for an invalid parameter.
func Invalid(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: message}
}

// Unfit is the error for a value that does not fit AWS's model of the request.
func Unfit(what string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: "1 validation error detected: " + what}
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

func unparsable(err error) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json: " + err.Error()}
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

// ofFunction matches the path of any request about one function, whatever the API's date.
var ofFunction = regexp.MustCompile(`^/20\d\d-\d\d-\d\d/functions/([^/]+)/`)

// unknown answers requests that the lab does not implement. To a read about a function, such as its policy or its
// URL, the answer is that nothing is configured; callers of AWS must handle that anyway.
func (s server) unknown(r call) (any, error) {
	asked := r.Method + " " + r.URL.Path
	m := ofFunction.FindStringSubmatch(r.URL.Path)
	if m == nil || r.Method != http.MethodGet {
		return nil, &Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "the lab has no " + asked + ": it has " + operations}
	}
	name, err := functionName(m[1], "")
	if err == nil {
		_, err = s.backend.Function(name)
	}
	if err == nil {
		err = Absent("The resource you requested does not exist: the lab has no " + asked)
	}
	return nil, err
}

// operations lists the operations that the lab implements, for messages.
const operations = "Invoke, InvokeWithResponseStream, Create-, Get-, List- and DeleteFunction, GetFunctionConfiguration, UpdateFunctionConfiguration, UpdateFunctionCode, " +
	"GetAccountSettings, and the operations on versions, aliases, function URLs, reserved and provisioned concurrency"

// honoured lists the settings that UpdateFunctionConfiguration changes. CreateFunction takes all but the first.
var honoured = []string{"Layers", "Description", "Handler", "MemorySize", "Timeout", "EphemeralStorage", "Environment", "ImageConfig", "LoggingConfig", "RevisionId"}

// dropped returns an error if a request asks for a setting, beyond the known ones, that the function does not have
// already: to report success would be false.
func dropped(asked map[string]json.RawMessage, known []string, of Configuration) error {
	text, _ := json.Marshal(toDocument(of)) // text and numbers
	have, names := map[string]any{}, []string{}
	_ = json.Unmarshal(text, &have)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		var want any
		_ = json.Unmarshal(asked[name], &want) // it was parsed before
		if !slices.Contains(known, name) && !holds(have[name], want) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return Invalid("the lab cannot set " + strings.Join(names, ", ") + " of a function: it sets " + strings.Join(honoured[:len(honoured)-1], ", ") +
		"; leave it out, or set it in the assembly")
}

// holds reports whether the wanted value is already set. An object is compared field by field, and null equals an
// empty value.
func holds(have, want any) bool {
	fields, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(have, want) || empty(have) && empty(want)
	}
	there, _ := have.(map[string]any)
	for name, value := range fields {
		if !holds(there[name], value) {
			return false
		}
	}
	return true
}

func empty(v any) bool {
	list, isList := v.([]any)
	return v == nil || v == "" || isList && len(list) == 0
}
