package handlers

import (
	"errors"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/dynamo"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
	"github.com/twinstart/twinstart/tools/need"
)

var languages = flag.Bool("languages", false, "try handlers/habits in each of its languages")

// habits calls try for each language of handlers/habits. dirs has the folder of its function for each habit. The habit ""
// means none and comes first.
func habits(t *testing.T, try func(t *testing.T, l language.Language, habits []string, dirs map[string]string)) {
	of := map[string]language.Language{}
	for _, l := range language.All() {
		of[l.Name] = l
	}
	for _, l := range language.All() {
		habits := arm.CodeHabits(l.Name)
		if habits == nil || l.Name != "bash" && !*languages {
			continue // make test-languages runs those whose packages need a registry
		}
		t.Run(l.Name, func(t *testing.T) {
			dirs := map[string]string{}
			for _, habit := range append([]string{""}, arm.CodeHabits(l.Name)...) {
				as, variant := of[l.Name+"-"+habit]
				if !variant {
					as = l
				}
				dir, err := as.Build(t.Context(), language.Function{Project: "habits", Name: "work"}, here)
				if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
					if variant { // the other habits do not need it
						t.Run(as.Name, func(t *testing.T) { need.No(t, err) })
						habits = slices.DeleteFunc(habits, func(h string) bool { return h == habit })
						continue
					}
					need.No(t, err)
				}
				if err != nil {
					t.Fatal(err)
				}
				dirs[habit] = dir
			}
			try(t, l, append([]string{""}, habits...), dirs)
		})
	}
}

var (
	keys        = []assembly.Key{{AttributeName: "pk", KeyType: "HASH"}, {AttributeName: "sk", KeyType: "RANGE"}}
	habitsTable = assembly.Table{TableName: "geo", KeySchema: keys, AttributeDefinitions: []assembly.Attribute{{AttributeName: "pk", AttributeType: "S"}, {AttributeName: "sk", AttributeType: "S"}}}
)

// habitsAnswer is what every language answers to {"mb":2} with any habit, apart from blanks.
const habitsAnswer = `{"setting":"none","written":5,"digest":"8b0aa189402d4dcbf8b0b0d4a26329dcf70377fd3c264ce1d2eb740ad0654482"}`

// TestHabits sends the same events to handlers/habits with each habit, in the lab, which serves their table. The answers
// of a language must be the same bytes, and those of all languages the same apart from blanks.
func TestHabits(t *testing.T) {
	if !*languages {
		t.Skip("make test-languages runs it")
	}
	habits(t, func(t *testing.T, l language.Language, habits []string, dirs map[string]string) {
		var functions []assembly.Function
		for _, habit := range habits {
			functions = append(functions, assembly.Function{LogicalID: strings.TrimSuffix(l.Name+"-"+habit, "-"), Package: dirs[habit], PackageType: assembly.Zip, Runtime: l.Runtime,
				Handler: l.Handler("work"), TimeoutSeconds: 60, MemorySizeMB: 1769, EphemeralStorageMB: 512, Architecture: here, LogGroup: "/aws/lambda/habits",
				Environment: map[string]string{arm.CodeVariable: habit}})
		}
		var log strings.Builder
		served, err := lab.New(lab.Options{Functions: functions, StateDir: t.TempDir(), ReadAheadKiB: lab.DefaultReadAheadKiB, Log: &log,
			Tables: []assembly.Table{habitsTable}, TableLatency: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range served.NotMeasured() {
			need.Missing(t, n.Arm+": "+n.Why)
		}
		want := ""
		for _, f := range functions {
			for range 2 { // the second finds what the first has kept
				got, err := served.Invoke(f.LogicalID, api.Invocation{Payload: []byte(`{"mb":2}`)})
				if err != nil || got.FunctionError != "" {
					t.Fatalf("%s: %v %s\n%s", f.LogicalID, err, got.Payload, &log)
				}
				if want == "" {
					want = string(got.Payload)
				}
				if string(got.Payload) != want || strings.ReplaceAll(want, " ", "") != habitsAnswer {
					t.Errorf("%s answers %s, the first %s, want %s", f.LogicalID, got.Payload, want, habitsAnswer)
				}
			}
		}
		if err := served.Close(); err != nil {
			t.Error(err)
		}
	})
}

// asked counts what a function asks of DynamoDB.
type asked struct{ Read, Written, Batches, Connections int }

// hosts are commands that call a function's handler twice, without a bootstrap.
var hosts = map[string][]string{
	"node":   {"node", "--input-type=module", "-e", `const { handler } = await import(process.cwd() + '/work.mjs'); for (const mb of [2, 2]) console.log(JSON.stringify(await handler({ mb })))`},
	"python": {"python3", "-c", "import json, work\nfor _ in range(2): print(json.dumps(work.handler({'mb': 2}, None)))"},
	"bash":   {"bash", "-c", `. ./work.sh; for _ in 1 2; do run '{"mb":2}' && echo; done`},
}

// TestHabitsDiffer counts what two events ask of the table, and over how many connections. Each habit must change what
// it is named for, and nothing else.
func TestHabitsDiffer(t *testing.T) {
	library, err := filepath.Abs("../runtime/handlerlib/lambda.sh")
	if err != nil {
		t.Fatal(err)
	}
	habits(t, func(t *testing.T, l language.Language, habits []string, dirs map[string]string) {
		need.Tool(t, hosts[l.Name][0])
		for _, habit := range habits {
			want := asked{Read: 1, Batches: 2, Connections: 1}
			switch habit {
			case "fetched":
				want.Read = 2
			case "single":
				want.Written, want.Batches = 10, 0
			case "inside":
				want.Connections = 2
			}
			if habit == "reconnect" || l.Name == "bash" { // curl keeps no connection
				want.Connections = want.Read + want.Written + want.Batches
			}
			got, said := ask(t, dirs[habit], hosts[l.Name], arm.CodeVariable+"="+habit, "TWINSTART_LIB="+library, "LAMBDA_TASK_ROOT=.", "PYTHONDONTWRITEBYTECODE=1")
			if got != want || strings.ReplaceAll(said, " ", "") != strings.Repeat(habitsAnswer+"\n", 2) {
				t.Errorf("%q asks %+v, want %+v, and answers %s", habit, got, want, said)
			}
		}
	})
}

// ask runs a program in a folder, with a table that it can call, and counts the calls.
func ask(t *testing.T, dir string, program []string, env ...string) (got asked, said string) {
	t.Helper()
	table, err := dynamo.New([]assembly.Table{habitsTable}, time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := dynamo.NewTrust()
	if err != nil {
		t.Fatal(err)
	}
	certificates := t.TempDir()
	for name, text := range trust.Files {
		if err := os.WriteFile(filepath.Join(certificates, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		switch strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.") {
		case "GetItem":
			got.Read++
		case "PutItem":
			got.Written++
		case "BatchWriteItem":
			got.Batches++
		}
		mu.Unlock()
		table.ServeHTTP(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if mu.Lock(); s == http.StateNew {
			got.Connections++
		}
		mu.Unlock()
	}
	server.TLS = trust.TLS
	server.StartTLS()
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), program[0], program[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=lab", "AWS_SECRET_ACCESS_KEY=lab", "AWS_ENDPOINT_URL_DYNAMODB="+server.URL)...)
	variables := trust.Variables(certificates)
	variables["CURL_CA_BUNDLE"] = variables["SSL_CERT_FILE"] // curl looks for CURL_CA_BUNDLE first
	for name, value := range variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	text, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%v: %v: %s %s", program, err, text, exit.Stderr)
	}
	return got, string(text)
}
