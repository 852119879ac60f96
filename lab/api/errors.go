package api

import (
	"encoding/json"
	"errors"
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

// NewError returns an error with an HTTP status and AWS's name.
func NewError(status int, code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

// Absent is the error for something that does not exist.
func Absent(message string) *Error {
	return NewError(http.StatusNotFound, "ResourceNotFoundException", message)
}

// Conflict is the error for a change that the current state does not allow.
func Conflict(message string) *Error {
	return NewError(http.StatusConflict, "ResourceConflictException", message)
}

// InState is the error for a call that the function's state does not allow.
func InState(state string) *Error {
	return Conflict("The operation cannot be performed at this time. " +
		"The function is currently in the following state: " + state)
}

// Callable returns the error for an invocation that the function's state does not allow, or nil.
func (c Configuration) Callable() error {
	switch {
	case c.State == "" || c.State == Active:
		return nil
	case c.State == Failed:
		return InState(Failed)
	case c.State == Pending && c.SnapStart:
		return NewError(http.StatusConflict, "SnapStartNotReadyException", "Lambda is initializing your function. "+
			"It will be ready to invoke once your function state becomes ACTIVE.")
	}
	return InState(Pending) // the call of an inactive function activates it
}

// Invalid is the error for an invalid parameter.
func Invalid(message string) *Error {
	return NewError(http.StatusBadRequest, "InvalidParameterValueException", message)
}

// Unfit is the error for a value that does not fit AWS's model of the request.
func Unfit(what string) *Error {
	return NewError(http.StatusBadRequest, "ValidationException", "1 validation error detected: "+what)
}

// Throttled is the error for an invocation above a concurrency limit.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors.
func Throttled(reason string) *Error {
	return &Error{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", reason}
}

// errContent is the error for a request whose body cannot be used.
func errContent(message string) *Error {
	return NewError(http.StatusBadRequest, "InvalidRequestContentException", message)
}

var errImage = Invalid("Please don't provide Handler or Runtime or Layer " +
	"when the intended function PackageType is Image.")

// Fail answers with an error in AWS's form.
func Fail(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = NewError(http.StatusInternalServerError, "ServiceException", err.Error())
	}
	kind := map[bool]string{true: "Service", false: "User"}[e.Status >= http.StatusInternalServerError]
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

// unknown answers requests that the lab does not implement. If a request reads something of a function, for example its
// policy, the answer is that none is configured; every client of AWS has to handle that answer.
func (s server) unknown(r call) (any, error) {
	asked := r.Method + " " + r.URL.Path
	m := ofFunction.FindStringSubmatch(r.URL.Path)
	if m == nil || r.Method != http.MethodGet {
		return nil, NewError(http.StatusNotFound, "UnknownOperationException", "the lab has no "+asked+": it has "+operations)
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
const operations = "Invoke, InvokeWithResponseStream, Create-, Get-, List- and DeleteFunction, " +
	"GetFunctionConfiguration, UpdateFunctionConfiguration, UpdateFunctionCode, GetAccountSettings, " +
	"and the operations on versions, aliases, function URLs, reserved and provisioned concurrency"

// honoured lists the settings that UpdateFunctionConfiguration changes. CreateFunction accepts all except the first.
var honoured = []string{"Layers", "Description", "Handler", "MemorySize", "Timeout", "EphemeralStorage", "Environment",
	"ImageConfig", "LoggingConfig", "RevisionId"}

// dropped returns an error if a request has a setting that is not among the known ones, unless the function has that
// value already. Success would tell the caller that the setting was changed.
func dropped(asked map[string]json.RawMessage, known []string, of Configuration) error {
	text, _ := json.Marshal(toDocument(of)) // text and numbers: it cannot fail
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
	return Invalid("the lab cannot set " + strings.Join(names, ", ") + " of a function: it sets " +
		strings.Join(honoured[:len(honoured)-1], ", ") + "; leave it out, or set it in the assembly")
}

// holds reports whether a function already has a wanted value. Of an object, only the wanted fields are compared. null
// equals an empty value.
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
