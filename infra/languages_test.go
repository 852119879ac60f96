package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/handlers/geo"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
)

// builtLanguages replaces packages/language, which has its own tests: it builds a folder with one file, and no C#.
func builtLanguages(t *testing.T) {
	t.Helper()
	dir, real := t.TempDir(), buildLanguage
	t.Cleanup(func() { buildLanguage = real })
	buildLanguage = func(l language.Language, _ context.Context, f language.Function, _ arm.Architecture) (string, error) {
		if l.Name == "csharp" {
			return "", &packages.UnavailableError{What: "csharp", Why: "no dotnet here", Remedy: "install it"}
		}
		folder := filepath.Join(dir, l.Name+"-"+f.Name)
		write(t, filepath.Join(folder, "bootstrap"), l.Name+f.Name)
		return folder, nil
	}
}

// An interrupt ends the build of a language's function, whichever experiment wants it.
func TestBuildsEndWithAnInterrupt(t *testing.T) {
	real := buildLanguage
	t.Cleanup(func() { buildLanguage = real })
	for name, given := range map[string]map[string]any{
		"languages": {"experiment": "languages", "functions": "wave", "languages": "rust"},
		"levers":    {"experiment": "levers", "levers": "code", "languages": "node"},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		buildLanguage = func(_ language.Language, ctx context.Context, _ language.Function, _ arm.Architecture) (string, error) {
			interrupt()
			return "", ctx.Err()
		}
		if _, err := define(ctx, newApp(t, "", given), fakePackages{dir: project(t)}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each function of handlers/geo is a Lambda function in each language, with only the rights that it needs. The stack
// deletes them and their table.
func TestLanguages(t *testing.T) {
	builtLanguages(t)
	tmpl, _ := synth(t, map[string]any{"experiment": "languages", "functions": "wave,save,search", "languages": "rust,node,csharp", "package": "zip,image", "memory": "128,1024"}, nil)
	actions := map[string][]string{}
	for _, p := range tmpl.ofType("AWS::IAM::Policy") {
		text, _ := json.Marshal(p.Properties)
		for _, action := range []string{"GetItem", "PutItem", "Query", "*"} {
			if strings.Contains(string(text), `"dynamodb:`+action+`"`) {
				name := p.Properties["PolicyName"].(string)
				actions[name] = append(actions[name], action)
			}
		}
		if strings.Contains(string(text), `"dynamodb:Query","Effect":"Allow","Resource":{"Fn::Join":["",[{"Fn::GetAtt":["Table`) != strings.Contains(string(text), "/index/geo-index") {
			t.Errorf("a right to query that is not for the index: %s", text)
		}
	}
	var arms []string
	for _, f := range tmpl.ofType(functionType) {
		id := f.Metadata.Twinstart
		arms = append(arms, id.Arm)
		want := []string{}
		for _, g := range geo.Functions() {
			if g.Name == id.Handler {
				want = append(want, g.Actions...)
				if id.Event != g.Event {
					t.Errorf("%s is measured with %s", id.Arm, id.Event)
				}
			}
		}
		got := []string{}
		for name, granted := range actions {
			if strings.HasPrefix(name, "Experiment"+strings.ReplaceAll(id.Bootstrap+id.Handler, "-", "")+string(id.Package)+map[int]string{128: "128", 1024: "1024"}[id.MemorySizeMB]) {
				got = append(got, granted...)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s@%d may %v, want %v", id.Arm, id.MemorySizeMB, got, want)
		}
	}
	slices.Sort(arms)
	if got := slices.Compact(slices.Clone(arms)); len(arms) != 24 || len(got) != 12 || got[0] != "node-save/image" {
		t.Errorf("%d functions of the arms %v", len(arms), got)
	}
	if diff := cmp.Diff([]arm.NotMeasured{{Arm: "csharp-wave/zip", Why: "no dotnet here; install it"}, {Arm: "csharp-wave/image", Why: "no dotnet here; install it"}}, tmpl.Metadata.Twinstart.NotMeasured[:2]); diff != "" {
		t.Error(diff)
	}
	tables := tmpl.ofType("AWS::DynamoDB::Table")
	if len(tables) != 1 || tables[0].DeletionPolicy != "Delete" {
		t.Fatalf("tables %+v", tables)
	}
	text, err := os.ReadFile(filepath.Join(repository, "handlers/geo/testdata/schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	got := tables[0].Properties
	from, _ := got["ImportSourceSpecification"].(map[string]any)
	if delete(got, "ImportSourceSpecification"); from["InputFormat"] != "CSV" || from["S3BucketSource"] == nil {
		t.Errorf("the table imports its first items from %v, want a CSV file in S3", from)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table (-tested +defined):\n%s", diff)
	}
}

// Without functions that need the table there is no table. Unknown names and impossible options are refused at synth.
func TestLanguagesByContext(t *testing.T) {
	builtLanguages(t)
	tmpl, _ := synth(t, map[string]any{"experiment": "languages", "functions": "wave"}, nil)
	if n := len(tmpl.ofType("AWS::DynamoDB::Table")); n != 0 {
		t.Errorf("%d tables, want 0", n)
	}
	if n := len(tmpl.ofType(functionType)); n != 6 {
		t.Errorf("%d functions, want one for each language that can be built, and no variant", n)
	}
	for _, test := range []struct {
		key, value, want string
	}{
		{"functions", "wafe", `there is no "wafe": use wave, client, warmup, save`},
		{"languages", "cobol", `there is no "cobol": use rust, go`},
		{"package", "tar", `there is no "tar": use zip, image`},
		{"vpc", "new", "isolated subnets have no way to DynamoDB"},
		{"url", "iam", "leave -c provisioned and -c url out"},
		{"arms", "nethttp/zip", "use -c functions and -c languages"},
	} {
		if _, err := readSettings(map[string]any{"experiment": "languages", test.key: test.value}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s=%s: %v, want %s", test.key, test.value, err, test.want)
		}
	}
	if _, err := readSettings(map[string]any{"languages": "rust"}); err == nil || !strings.Contains(err.Error(), "are for -c experiment=languages") {
		t.Errorf("want an error that names -c experiment=languages: %v", err)
	}
}
