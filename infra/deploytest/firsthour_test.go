//go:build deploy

package deploytest

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// TestFirstHour runs `make first-hour` against MiniStack, which runs ZIP files but no images, and logs no INIT. Each
// question must have its line.
func TestFirstHour(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000005")
	out := t.TempDir()
	a.bootstrap(t)
	before := takeInventory(t, a.config(t))
	a.run(t, "make", "first-hour", "YES=1", "OUT="+out,
		"CONTEXT=-c observe=none -c tuning=off -c arms=rawsyscall/zip -c architecture="+hostArchitecture())
	if diff := cmp.Diff(before, takeInventory(t, a.config(t))); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
	answers := string(must(os.ReadFile(filepath.Join(out, "answers.txt")))(t))
	for _, want := range []string{
		`deploy all: \d+ s, 0 lines of throttling; the slowest metric filter took 0 s`,
		`start rawsyscall/zip: yes; INIT in the log's tail: neither`,
		`start rawsyscall/image: no: .*rawsyscall/image.*`, // not in this stack
		`update of rawsyscall/zip: median [\d.]+ s, longest [\d.]+ s, of \d+`,
		`deploy inspect: \d+ s.*`,
		`log stream in a shared group: .*`, // MiniStack's functions have no such variable
		`root: \d+ facts on Lambda, \d+ in the lab.*`,
		`destroy all: \d+ s`,
		`destroy inspect: \d+ s`,
	} {
		if !regexp.MustCompile("(?m)^" + want + "$").MatchString(answers) {
			t.Errorf("no answer %s in:\n%s", want, answers)
		}
	}
	var listing map[string]string
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(out, "listing.json")))(t), &listing); err != nil || len(listing) < 100 || listing["Bash"] == "" {
		t.Errorf("listing: %v: %v", err, listing)
	}
}

// TestLaterHour leaves a stack. At the next call the stack is not idle yet, and later it is: then the double's
// functions are Inactive and refuse an update.
func TestLaterHour(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000007")
	out := t.TempDir()
	a.bootstrap(t)
	before := takeInventory(t, a.config(t))
	later := func(environment ...string) (answers string, failed bool) {
		cmd := append(slices.Clone(environment), "PART=later", "YES=1", "OUT="+out, "CONTEXT=-c architecture="+hostArchitecture(), "CDK="+cdkCLI, filepath.Join(repository, "infra", "first-hour"))
		if output, err := a.begin(t, "env", cmd...).wait(); err != nil {
			failed = true
			t.Logf("%s", output)
		}
		return string(must(os.ReadFile(filepath.Join(out, "answers.txt")))(t)), failed
	}
	answers, failed := later()
	if failed || !strings.Contains(answers, "leave it alone for two weeks") {
		t.Fatalf("PART=later leaves no stack:\n%s", answers)
	}
	if answers, failed = later(); !failed || !strings.Contains(answers, "no function is Inactive yet") {
		t.Errorf("functions that are not idle: failed is %v:\n%s", failed, answers)
	}
	idle := &deployedDouble{account: a, t: t}
	functions, _ := idle.get()
	functions.Strike(&double.Fault{Operation: "UpdateFunctionConfiguration", Error: api.Conflict("The function is inactive.")})
	for _, f := range functions.List() {
		functions.Change(f.Name, func(c *api.Configuration) { c.State = "Inactive" })
	}
	server := httptest.NewServer(idle)
	defer server.Close()
	answers, failed = later("AWS_ENDPOINT_URL_LAMBDA=" + server.URL)
	for _, want := range []string{"is Inactive", "later: an update of ", "The function is inactive.", "destroy idle: "} {
		if failed || !strings.Contains(answers, want) {
			t.Errorf("failed is %v, no %q in:\n%s", failed, want, answers)
		}
	}
	if diff := cmp.Diff(before, takeInventory(t, a.config(t))); diff != "" {
		t.Errorf("after PART=later the account is not as it was (-before +after):\n%s", diff)
	}
}
