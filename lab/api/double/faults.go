package double

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// Faults makes calls fail on their way to an API, for example that of this package or the lab's.
type Faults struct {
	Next http.Handler

	// Before is called first, for each call, and for several calls at the same time.
	Before func(Call)

	// Decide, if set, returns the fault of a call for which Strike has added none; nil means no fault.
	Decide func(Call) *Fault

	lock   sync.Mutex
	faults []*Fault
	calls  []Call
}

// Fault is something that goes wrong with calls. The first group of fields selects the calls.
type Fault struct {
	Operation string // "" matches every operation
	Function  string // "" matches every function
	Qualifier string // a pattern for path.Match; "" matches every qualifier
	After     int    // number of matching calls that pass first
	Times     int    // number of calls that it strikes after those; 0 means all

	Delay time.Duration // the call takes longer, in addition to the other effects
	Error *api.Error    // the call is answered with this error and has no effect
	Cut   bool          // the connection ends before the call has an effect
	Lost  bool          // the call has an effect, and the connection ends before the answer
	Twice bool          // the call arrives twice, and the second one is answered
}

// Strike adds faults. If several faults match a call, the first one strikes.
func (f *Faults) Strike(faults ...*Fault) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.faults = append(f.faults, faults...)
}

// Calls returns the calls so far in the order of their arrival.
func (f *Faults) Calls() []Call {
	f.lock.Lock()
	defer f.lock.Unlock()
	return append([]Call(nil), f.calls...)
}

// Count returns the number of calls of an operation so far.
func (f *Faults) Count(operation string) int {
	return len(slices.DeleteFunc(f.Calls(), func(c Call) bool { return c.Operation != operation }))
}

// ServeHTTP implements http.Handler.
func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	call := callOf(r)
	call.Body = string(body)
	if form, err := url.ParseQuery(call.Body); call.Operation == "" && err == nil {
		call.Operation = form.Get("Action") // as CloudFormation and STS name it
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
	case fault.Lost, fault.Twice:
		next(httptest.NewRecorder()) // nobody gets that answer
		if fault.Lost {
			panic(http.ErrAbortHandler)
		}
	}
	next(w)
}

// strikes records the call and returns its fault, or a fault without effects.
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

// Service is an error inside the service, for example with the code "ServiceException".
func Service(code string) *api.Error {
	return api.NewError(http.StatusInternalServerError, code, "Service encountered an Internal Failure")
}

// Denied is the answer to a caller without permission.
func Denied(action string) *api.Error {
	return api.NewError(http.StatusForbidden, "AccessDeniedException",
		"User: arn:aws:iam::123456789012:user/test is not authorized to perform: "+action)
}

// Expired is the answer to expired credentials.
func Expired() *api.Error {
	return api.NewError(http.StatusForbidden, "ExpiredTokenException",
		"The security token included in the request is expired")
}

// Unreadable is Configuration.Extra of a function whose environment variables the caller cannot decrypt.
func Unreadable() map[string]any {
	denied := map[string]string{"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}
	return map[string]any{"Environment": map[string]any{"Error": denied}}
}
