package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// String prints an outcome, to help find out why a check failed.
func (o *outcome) String() string {
	var b strings.Builder
	for _, r := range o.requests {
		body := r.Body
		if len(body) > 300 {
			body = body[:300]
		}
		fmt.Fprintf(&b, "conn %d %s %s %q\n", r.Conn, r.Method, r.Path, body)
	}
	stderr := o.stderr
	if len(stderr) > 2000 {
		stderr = stderr[:2000]
	}
	fmt.Fprintf(&b, "exited %t, status %d, hung %t, stderr: %q", o.exited, o.status, o.hung, stderr)
	return b.String()
}

// find returns the requests to one path.
func (o *outcome) find(path string) []Request {
	var found []Request
	for _, r := range o.requests {
		if r.Path == path {
			found = append(found, r)
		}
	}
	return found
}

// report is the JSON of an error.
type report struct {
	ErrorMessage string
	ErrorType    string
	StackTrace   []any
}

func (r Request) report() (report, error) {
	var decoded report
	if !utf8.Valid(r.Body) {
		return decoded, fmt.Errorf("error report is not UTF-8: %q", r.Body)
	}
	if err := json.Unmarshal(r.Body, &decoded); err != nil {
		return decoded, fmt.Errorf("error report is not JSON: %w: %q", err, r.Body)
	}
	return decoded, nil
}

// running checks that the bootstrap has taken all events and waits for another.
func (o *outcome) running() error {
	if o.hung || o.exited {
		return fmt.Errorf("is not waiting for the next event")
	}
	return nil
}

// responses checks that the invocations id-1, id-2 ... had these responses, and that the bootstrap goes on.
func (o *outcome) responses(want ...string) error {
	for i, w := range want {
		path := fmt.Sprintf("/invocation/id-%d/response", i+1)
		got := o.find(path)
		if len(got) != 1 {
			return fmt.Errorf("%d requests to %s, want 1", len(got), path)
		}
		if string(got[0].Body) != w {
			return fmt.Errorf("response %d is %s, want %s", i+1, abbreviate(string(got[0].Body)), abbreviate(w))
		}
	}
	return o.running()
}

func abbreviate(s string) string {
	if len(s) > 120 {
		return fmt.Sprintf("%q... (%d bytes)", s[:120], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// failure checks that one invocation had one error report and no response, and returns the report.
func (o *outcome) failure(id string) (report, error) {
	got := o.find("/invocation/" + id + "/error")
	if len(got) != 1 || len(o.find("/invocation/"+id+"/response")) != 0 {
		return report{}, fmt.Errorf("%d error reports for %s, want 1 and no response", len(got), id)
	}
	return got[0].report()
}

// failureSays checks that the invocation failed with a message that contains all parts, and that the bootstrap goes
// on.
func (o *outcome) failureSays(id string, parts ...string) error {
	decoded, err := o.failure(id)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if !strings.Contains(decoded.ErrorMessage, part) {
			return fmt.Errorf("errorMessage %q does not hold %q", decoded.ErrorMessage, part)
		}
	}
	return o.running()
}

// initError checks that INIT failed correctly: reported once, no GET /next, non-zero exit status.
func (o *outcome) initError() (report, error) {
	got := o.find("/init/error")
	if len(got) != 1 || len(o.find("/invocation/next")) != 0 {
		return report{}, fmt.Errorf("%d requests to /init/error and %d to /invocation/next, want 1 and 0",
			len(got), len(o.find("/invocation/next")))
	}
	if !o.exited || o.status <= 0 {
		return report{}, fmt.Errorf("exited %t with status %d after /init/error, want a non-zero status", o.exited, o.status)
	}
	decoded, err := got[0].report()
	if err != nil {
		return decoded, err
	}
	header := got[0].Header.Get("Lambda-Runtime-Function-Error-Type")
	switch {
	case !strings.HasPrefix(header, "Runtime.") || header != decoded.ErrorType:
		return decoded, fmt.Errorf("Lambda-Runtime-Function-Error-Type is %q, errorType is %q", header, decoded.ErrorType)
	case decoded.ErrorMessage == "":
		return decoded, fmt.Errorf("no errorMessage")
	case decoded.StackTrace == nil:
		return decoded, fmt.Errorf("no stackTrace")
	}
	return decoded, nil
}

// gaveUp checks that the bootstrap exited with a non-zero status and one line with the reason.
func (o *outcome) gaveUp() error {
	if o.hung || !o.exited || o.status <= 0 {
		return fmt.Errorf("exited %t with status %d, want an end with a non-zero status", o.exited, o.status)
	}
	line, found := strings.CutSuffix(o.stderr, "\n")
	if !found || line == "" || strings.Contains(line, "\n") {
		return fmt.Errorf("stderr is %q, want one line", o.stderr)
	}
	return nil
}

// untouched checks that the task root has no file of this name, so that the code that would create it did not run.
func (o *outcome) untouched(name string) error {
	if _, err := os.Lstat(filepath.Join(o.root, name)); !os.IsNotExist(err) {
		return fmt.Errorf("%s exists: an input was executed", name)
	}
	return nil
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
