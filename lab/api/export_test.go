package api

import (
	"net/http"
	"time"
)

// Names for the tests, which are in another package so that they can use the double.
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

// HandlerThatRetries is Handler with other waits before a failed event is tried again.
func HandlerThatRetries(b Backend, after ...time.Duration) http.Handler {
	return newServer(b, after...).handler()
}

// SetPatience shortens the time that clients have.
func SetPatience(d time.Duration) { patience = d }

// FunctionName is functionName.
func FunctionName(s, qualifier string) (string, error) { return functionName(s, qualifier) }

// URLResponse is urlResponse.
func URLResponse(w http.ResponseWriter, payload []byte) { urlResponse(w, payload) }
