package api

import (
	"net/http"
	"time"
)

// The tests use these names. They are in another package, because they use the double, which imports this one.
const (
	HeaderRequestID     = headerRequestID
	HeaderType          = headerType
	HeaderLogType       = headerLogType
	HeaderLogResult     = headerLogResult
	HeaderClientContext = headerClientContext
	HeaderFunctionError = headerFunctionError
	HeaderVersion       = headerVersion
	Prefix              = prefix
)

// HandlerThatRetries is Handler, but waits for the given times before it tries a failed event again.
func HandlerThatRetries(b Backend, after ...time.Duration) http.Handler {
	return newServer(b, after...).handler()
}

// SetPatience sets the time that a client has to send a request.
func SetPatience(d time.Duration) { patience = d }

func FunctionName(s, qualifier string) (string, error) { return functionName(s, qualifier) }

func URLResponse(w http.ResponseWriter, payload []byte) { urlResponse(w, payload) }
