package handlers

import (
	"encoding/json"
	"errors"
	"flag"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
	"github.com/twinstart/twinstart/tools/need"
)

var languages = flag.Bool("languages", false, "try handlers/habits in each of its languages")

// TestHabits sends the same events to handlers/habits with each habit: a language's answers are the same bytes, and
// all say the same. The lab serves their table.
func TestHabits(t *testing.T) {
	if !*languages {
		t.Skip("make test-languages runs it")
	}
	key := func(name, kind string) assembly.Key { return assembly.Key{AttributeName: name, KeyType: kind} }
	table := assembly.Table{TableName: "geo", KeySchema: []assembly.Key{key("pk", "HASH"), key("sk", "RANGE")},
		AttributeDefinitions: []assembly.Attribute{{AttributeName: "pk", AttributeType: "S"}, {AttributeName: "sk", AttributeType: "S"}}}
	var first any
	for _, l := range language.All() {
		if l.Name != "node" && l.Name != "python" {
			continue
		}
		dir, err := l.Build(t.Context(), language.Function{Project: "habits", Name: "work"}, here)
		if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
			need.No(t, err)
		}
		if err != nil {
			t.Fatal(err)
		}
		var functions []assembly.Function
		for _, habit := range append([]string{""}, arm.CodeHabits()...) {
			functions = append(functions, assembly.Function{LogicalID: strings.TrimSuffix(l.Name+"-"+habit, "-"), Package: dir, PackageType: assembly.Zip, Runtime: l.Runtime,
				Handler: l.Handler("work"), TimeoutSeconds: 60, MemorySizeMB: 1769, EphemeralStorageMB: 512, Architecture: here, LogGroup: "/aws/lambda/habits",
				Environment: map[string]string{arm.CodeVariable: habit}})
		}
		var log strings.Builder
		served, err := lab.New(t.Context(), lab.Options{Functions: functions, StateDir: t.TempDir(), ReadAheadKiB: lab.DefaultReadAheadKiB, Log: &log,
			Tables: []assembly.Table{table}, TableLatency: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range served.NotMeasured() {
			need.Missing(t, n.Arm+": "+n.Why)
		}
		want := ""
		for _, f := range functions {
			for range 2 { // the second finds what the first has kept
				got, err := served.Invoke(t.Context(), f.LogicalID, api.Invocation{Payload: []byte(`{"mb":2}`)})
				if err != nil || got.FunctionError != "" {
					t.Fatalf("%s: %v %s\n%s", f.LogicalID, err, got.Payload, &log)
				}
				if want == "" {
					want = string(got.Payload)
				}
				var answer any
				if err := json.Unmarshal(got.Payload, &answer); err != nil || string(got.Payload) != want {
					t.Errorf("%s answers %s, want %s", f.LogicalID, got.Payload, want)
				}
				if first == nil {
					first = answer
				}
				if !reflect.DeepEqual(answer, first) {
					t.Errorf("%s answers %v, want %v", f.LogicalID, answer, first)
				}
			}
		}
		if !strings.Contains(want, `"written":5`) && !strings.Contains(want, `"written": 5`) {
			t.Errorf("%s answers %s", l.Name, want)
		}
		if err := served.Close(); err != nil {
			t.Error(err)
		}
	}
}
