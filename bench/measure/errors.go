package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/arm/list"
)

// Code returns AWS's name of an error, or "" for another kind of error.
func Code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// Throttle reports whether a call was throttled. A throttled call never ran.
func Throttle(err error) bool {
	return slices.Contains([]string{"TooManyRequestsException", "ThrottlingException", "EC2ThrottledException"}, Code(err))
}

// Refused reports whether AWS no longer accepts the caller's credentials, or there are none. Then no other call can
// succeed.
func Refused(err error) bool {
	return noCredentials(err) || slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "RequestExpired",
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException"}, Code(err))
}

// denied reports whether the caller has no right to the call. Then no later call can succeed.
func denied(err error) bool { return strings.HasPrefix(Code(err), "AccessDenied") }

func noCredentials(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "get credentials: ") || noCredentials(errors.Unwrap(err)))
}

// Transient reports whether the same call may succeed in a moment: the service had trouble, or the connection
// broke. In the latter case the call may have had its effect.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
func Transient(err error) bool {
	switch code := Code(err); code {
	case "ResourceConflictException", "ResourceNotReadyException", "SnapStartException", "SnapStartNotReadyException",
		"SnapStartTimeoutException", "CodeArtifactUserPendingException":
		return true
	case "":
		return err != nil && !ended(err) && !errors.Is(err, syscall.ECONNREFUSED) && connection(err)
	}
	var response *awshttp.ResponseError
	return Throttle(err) || errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError
}

// ended reports whether a call ended because its context had ended.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// connection reports whether a connection broke, so that nobody knows whether the call was executed.
func connection(err error) bool {
	var sent *smithy.OperationError
	var request interface{ ConnectionError() bool }
	text := err.Error()
	return errors.As(err, &sent) &&
		(errors.As(err, &request) || errors.Is(err, errCutOff) ||
			strings.Contains(text, "EOF") || strings.Contains(text, "request send failed"))
}

// Brief reduces an error of the SDK to one line for users: the service's code and message.
func Brief(err error) error {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return &briefError{fmt.Sprintf("%s: %s", e.ErrorCode(), OneLine(e.ErrorMessage(), 300)), err}
	}
	if ended(err) {
		return err
	}
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		return &briefError{OneLine(op.Err.Error(), 300), err}
	}
	return err
}

// briefError has a short text and keeps the original error.
type briefError struct {
	text  string
	cause error
}

func (e *briefError) Error() string { return e.text }
func (e *briefError) Unwrap() error { return e.cause }

// OneLine turns any text into one line of at most n characters.
func OneLine(s string, n int) string {
	s = list.OneLine(strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > n {
		s = string(r[:n-3]) + "..."
	}
	return s
}
