package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestHandlers runs the handlers of this repository in image-minimal. The test in handlers/ runs them on the base.
func TestHandlers(t *testing.T) {
	folders, err := filepath.Glob("../../handlers/*/handler.sh")
	if err != nil || len(folders) < 5 {
		t.Fatalf("found %v (%v), want the handlers", folders, err)
	}
	for _, c := range columns(false) {
		if !c.minimal {
			continue
		}
		for _, file := range folders {
			folder := filepath.Dir(file)
			t.Run(c.String()+"/"+filepath.Base(folder), func(t *testing.T) {
				t.Parallel()
				text := func(name string) string {
					content, err := os.ReadFile(filepath.Join(folder, name))
					if err != nil {
						t.Fatal(err)
					}
					return string(content)
				}
				o := c.run(t, scenario{files: handlerFile(text("handler.sh")), events: events(text("testdata/event.json"))}, patience)
				if err := o.answered(filepath.Base(folder), text("testdata/response.json")); err != nil {
					t.Errorf("%v\n%s", err, o)
				}
			})
		}
	}
}

// answered compares the response byte by byte. For a failure and for inspect it compares only the fields of
// response.json.
func (o *outcome) answered(handler, want string) error {
	var wanted, got map[string]any
	switch handler {
	case "fail":
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			return err
		}
		return o.failureSays("id-1", fmt.Sprint(wanted["errorMessage"]))
	case "inspect":
		response := o.find("/invocation/id-1/response")
		if len(response) != 1 {
			return fmt.Errorf("%d responses", len(response))
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			return err
		}
		if err := json.Unmarshal(response[0].Body, &got); err != nil {
			return fmt.Errorf("%s is not JSON: %w", response[0].Body, err)
		}
		maps.DeleteFunc(wanted, func(name string, value any) bool {
			is, _ := got[name].(string) // "" means missing, and image-minimal has no /bin/sh
			return is == value || name == "/bin/sh is Bash" && is == ""
		})
		if len(wanted) > 0 {
			return fmt.Errorf("want %v, got %v", wanted, got)
		}
		return nil
	}
	if o.stderr != "" {
		return fmt.Errorf("it logged %q", o.stderr)
	}
	return o.responses(want)
}
