package double

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// Faults lets calls go wrong on their way to an API: that of this package, or the lab's.
type Faults struct {
	Next http.Handler

	// Before is called with each call before anything else, at the same time for calls that come at the same time.
	Before func(Call)

	// Decide, where set, says what goes wrong with a call that no Fault strikes; nil is nothing.
	Decide func(Call) *Fault

	lock   sync.Mutex
	faults []*Fault
	calls  []Call
}

// Call is a request.
type Call struct {
	Operation string // "Invoke", "UpdateFunctionConfiguration", ...; "" for one that is not known
	Function  string // its name
	Qualifier string // version or alias, also where the call makes, moves or deletes an alias
	Region    string // that it is signed for
	Body      string
}

// Fault is something that goes wrong, with those calls that its first fields describe.
type Fault struct {
	Operation string // "" is every one
	Function  string // "" is every one
	Qualifier string // "" is every one; a pattern of package path otherwise
	After     int    // calls that pass before
	Times     int    // calls that it strikes, 0 is all from there on

	Delay time.Duration // the call takes longer, whatever else goes wrong
	Error *api.Error    // it is answered so, and has no effect
	Cut   bool          // the connection ends before the call has an effect
	Lost  bool          // it has an effect, and the connection ends before the answer
	Twice bool          // it arrives twice, the second is answered
}

// Strike adds a fault. Of several that describe a call the first strikes.
func (f *Faults) Strike(faults ...*Fault) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.faults = append(f.faults, faults...)
}

// Calls are those so far, in order of arrival.
func (f *Faults) Calls() []Call {
	f.lock.Lock()
	defer f.lock.Unlock()
	return append([]Call(nil), f.calls...)
}

// Count is how many calls there were of an operation.
func (f *Faults) Count(operation string) (n int) {
	for _, c := range f.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	call := callOf(r)
	call.Body = string(body)
	if form, err := url.ParseQuery(call.Body); call.Operation == "" && err == nil { // CloudFormation and STS have it there
		call.Operation = form.Get("Action")
	}
	if f.Before != nil {
		f.Before(call)
	}
	fault := f.strikes(call)
	time.Sleep(fault.Delay)
	next := func(w http.ResponseWriter) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		f.Next.ServeHTTP(w, again)
	}
	switch {
	case fault.Cut:
		panic(http.ErrAbortHandler)
	case fault.Error != nil:
		api.Fail(w, fault.Error)
		return
	case fault.Lost:
		next(httptest.NewRecorder()) // nobody gets that answer
		panic(http.ErrAbortHandler)
	case fault.Twice:
		next(httptest.NewRecorder()) // nobody gets that answer
	}
	next(w)
}

// strikes notes the call and is the fault that it meets, one without effect for none.
func (f *Faults) strikes(call Call) Fault {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.calls = append(f.calls, call)
	for i, fault := range f.faults {
		if !fault.describes(call) {
			continue
		}
		if fault.After > 0 {
			fault.After--
			continue
		}
		if fault.Times == 1 {
			f.faults = append(f.faults[:i:i], f.faults[i+1:]...)
		}
		fault.Times--
		return *fault
	}
	if f.Decide != nil {
		if fault := f.Decide(call); fault != nil {
			return *fault
		}
	}
	return Fault{}
}

func (f *Fault) describes(c Call) bool {
	if f.Operation != "" && f.Operation != c.Operation || f.Function != "" && f.Function != c.Function {
		return false
	}
	matches, err := path.Match(f.Qualifier, c.Qualifier)
	return f.Qualifier == "" || matches && err == nil
}

// operations are named as AWS does, by method and path below /functions/NAME.
var operations = map[string]string{
	"POST /invocations": "Invoke", "POST /response-streaming-invocations": "InvokeWithResponseStream", "GET /configuration": "GetFunctionConfiguration", "PUT /configuration": "UpdateFunctionConfiguration", "GET ": "GetFunction",
	"POST /versions": "PublishVersion", "GET /versions": "ListVersionsByFunction", "DELETE ": "DeleteFunction",
	"POST /aliases": "CreateAlias", "GET /aliases": "ListAliases", "GET /aliases/": "GetAlias", "PUT /aliases/": "UpdateAlias", "DELETE /aliases/": "DeleteAlias",
}

var (
	route  = regexp.MustCompile(`^/[0-9-]+/functions/([^/]+)(/[a-z-]+)?(/)?([^/]*)$`)
	scope  = regexp.MustCompile(`Credential=[^/]*/[0-9]*/([^/]*)/`)
	prefix = regexp.MustCompile(`^.*function:`)
)

func callOf(r *http.Request) (c Call) {
	if m := scope.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		c.Region = m[1]
	}
	if strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/account-settings") {
		c.Operation = "GetAccountSettings"
	}
	m := route.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return c
	}
	c.Operation = operations[r.Method+" "+m[2]+m[3]]
	c.Function, c.Qualifier, _ = strings.Cut(prefix.ReplaceAllString(m[1], ""), ":")
	if q := r.URL.Query().Get("Qualifier"); q != "" {
		c.Qualifier = q
	}
	if m[4] != "" {
		c.Qualifier = m[4]
	}
	return c
}

// Service is an error of the service's own, such as "ServiceException".
func Service(code string) *api.Error {
	return &api.Error{Status: http.StatusInternalServerError, Code: code, Message: "Service encountered an Internal Failure"}
}

// Denied is the answer to a caller without the right.
func Denied(action string) *api.Error {
	return &api.Error{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: "User: arn:aws:iam::123456789012:user/test is not authorized to perform: " + action}
}

// Expired is the answer to credentials whose time is up.
func Expired() *api.Error {
	return &api.Error{Status: http.StatusForbidden, Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
}

// Unreadable is Configuration.Extra of a function whose environment the caller may not decrypt.
func Unreadable() map[string]any {
	return map[string]any{"Environment": map[string]any{"Error": map[string]any{"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}}}
}
