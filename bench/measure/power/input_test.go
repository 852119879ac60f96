package power

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Power Tuning's published examples of inputs are accepted. Only their placeholders were filled in.
func TestPublishedInputs(t *testing.T) {
	paths, err := filepath.Glob("testdata/inputs/*.json")
	if err != nil || len(paths) < 5 {
		t.Fatalf("want 5 inputs or more: %v, %v", paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseInput(data, Defaults{}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestInputDefaults(t *testing.T) {
	in, err := ParseInput([]byte(`{"lambdaARN": "`+functionARN+`:live", "num": 10}`), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	if in.Function != functionARN || in.Qualifier != "live" || in.Region != "eu-west-1" || !slices.Equal(in.PowerValues, DefaultPowerValues()) || in.Strategy != Cost ||
		in.BalancedWeight != 0.5 || in.DiscardTopBottom != 0.2 || len(in.Payloads.events) != 1 || len(in.Warnings) != 0 {
		t.Errorf("want the defaults: %+v", in)
	}
	cold, err := ParseInput([]byte(`{"lambdaARN": "F", "num": 10, "onlyColdStarts": true, "powerValues": [512, 128, 512]}`), Defaults{})
	if err != nil || cold.DiscardTopBottom != 0 || !slices.Equal(cold.PowerValues, []int{128, 512}) {
		t.Errorf("want the defaults of cold starts, and each power value once: %+v, %v", cold, err)
	}
	dry, err := ParseInput([]byte(`{"lambdaARN": "F", "num": 10, "dryRun": true, "powerValues": "ALL"}`), Defaults{})
	if err != nil || dry.Num != 1 || len(dry.PowerValues) != 46 {
		t.Errorf("want one invocation of each of 46 power values: %+v, %v", dry, err)
	}
	given, err := ParseInput([]byte(`{"num": 5, "strategy": null}`), Defaults{Function: "G", PowerValues: []int{256}})
	if err != nil || given.Function != "G" || !slices.Equal(given.PowerValues, []int{256}) {
		t.Errorf("want the function and the power values of Defaults: %+v, %v", given, err)
	}
}

// table.in has inputs as users of Power Tuning write them, one a line. table.txt shows people what each one means here.
func TestTableOfInputs(t *testing.T) {
	inputs, err := os.ReadFile("testdata/table.in")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ParseInput([]byte(`{"lambdaARN": "F", "num": 10}`), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(inputs)) {
		b.WriteString(line)
		in, err := ParseInput([]byte(line), Defaults{})
		if err != nil {
			fmt.Fprintf(&b, "\trefused: %v\n", err)
			continue
		}
		b.WriteString("\ttaken")
		got, usual := reflect.ValueOf(in), reflect.ValueOf(plain)
		for i := range got.NumField() {
			name := got.Type().Field(i).Name
			if name != "Payloads" && name != "Warnings" && !reflect.DeepEqual(got.Field(i).Interface(), usual.Field(i).Interface()) {
				fmt.Fprintf(&b, ", %s %v", name, got.Field(i).Interface())
			}
		}
		for i, e := range in.Payloads.events {
			if string(e) != "null" || len(in.Payloads.events) > 1 {
				fmt.Fprintf(&b, ", event %s x %g", e, in.Payloads.weights[i])
			}
		}
		for _, w := range in.Warnings {
			b.WriteString("\n\twarning: " + w)
		}
		b.WriteString("\n")
	}
	golden(t, "testdata/table.txt", []byte(b.String()))
}

// The error names the byte of the mistake: the comma before the last brace.
func TestInputPosition(t *testing.T) {
	_, err := ParseInput([]byte("{\n  \"num\": 5,\n  \"powerValues\": [128, 256],\n}\n"), Defaults{})
	if err == nil || !strings.Contains(err.Error(), "at byte 43") {
		t.Errorf("want an error at byte 43: %v", err)
	}
}

// inputMistakes lists wrong values of each field, and what the message says of them.
var inputMistakes = []struct{ field, value, want string }{
	{"lambdaARN", `5`, "give text"}, {"lambdaARN", `""`, "is missing"}, {"lambdaARN", `"a b"`, "neither the ARN"},
	{"lambdaARN", `"arn:aws:s3:::bucket"`, "neither the ARN"}, {"lambdaARN", `"arn:aws:lambda:us-east-1:1:function:f"`, "neither the ARN"},
	{"lambdaARN", `"arn:aws:lambda:us-east-1:123456789012:layer:f"`, "neither the ARN"}, {"lambdaARN", `null`, "is missing"},
	{"num", `4`, "from 5"}, {"num", `-1`, "from 5"}, {"num", `1e99`, "whole number"}, {"num", `null`, "is missing"},
	{"num", `[]`, "a list of 0"}, {"num", `1000001`, "to 1000000"},
	{"powerValues", `"all"`, `"ALL"`}, {"powerValues", `128`, "a list"}, {"powerValues", `[127]`, "128 to 10240"},
	{"powerValues", `[128, "256 MB"]`, `"256 MB"`}, {"powerValues", `[10241]`, "128 to 10240"}, {"powerValues", `[128.5]`, "128.5"}, {"powerValues", `{}`, "a list"},
	{"payload", `[{"payload": {}, "weight": 1}, {"payload": {}}]`, "1 of 2 entries have payload and weight"},
	{"payload", `[{"payload": 1, "weight": 0}]`, "above 0"}, {"payload", `[{"payload": 1, "weight": "3"}]`, "above 0"},
	{"payload", `[{"payload": 1, "weight": 1}, {"payload": 2, "weight": 1000}]`, "raise num"},
	{"payload", `[` + strings.Repeat(`{"payload": 1, "weight": 1},`, 10) + `{"payload": 1, "weight": 1}]`, "raise num"},
	{"payloadS3", `1`, "give text"}, {"payloadS3", `"bucket/key"`, "s3://bucket/key"}, {"payloadS3", `"s3://bucket"`, "s3://bucket/key"}, {"payloadS3", `"s3:///key"`, "s3://bucket/key"},
	{"strategy", `"cheap"`, "cost, speed, balanced"}, {"strategy", `1`, "give text"}, {"balancedWeight", `"half"`, "0 to 1"}, {"assumeRoleARN", `"admin"`, "not the ARN of a role"},
	{"autoOptimizeAlias", `true`, "give text"}, {"autoOptimizeAlias", `"12"`, "alias"}, {"autoOptimizeAlias", `"a b"`, "alias"},
	{"dryRun", `"no"`, "without quotes"}, {"dryRun", `"false"`, "without quotes"}, {"preProcessorARN", `"x y"`, "neither"}, {"postProcessorARN", `{}`, "an object"},
	{"discardTopBottom", `"20%"`, "0 to 0.4"},
	{"sleepBetweenRunsMs", `-5`, "from 0"}, {"allowedExceptions", `"E"`, "list of text"}, {"allowedExceptions", `["E", 1]`, "list of text"},
	{"powerValue", `[128]`, "did you mean powerValues"}, {"LambdaArn", `"F"`, "did you mean lambdaARN"}, {"lmiConfig", `{}`, "not tuned here"},
}

// documentWith returns an input that is valid except for one field.
func documentWith(field, value string) string {
	document := map[string]string{"lambdaARN": `"F"`, "num": `10`, field: value}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(document)) {
		pairs = append(pairs, fmt.Sprintf("%q: %s", k, document[k]))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// A message names the field and what to write.
func TestInputMistakes(t *testing.T) {
	for _, test := range inputMistakes {
		_, err := ParseInput([]byte(documentWith(test.field, test.value)), Defaults{})
		var wrong *InputError
		if !errors.As(err, &wrong) || len(wrong.Mistakes) != 1 || !strings.HasPrefix(wrong.Mistakes[0], test.field) || !strings.Contains(wrong.Mistakes[0], test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %s: got %v, want one mistake with %q", test.field, test.value, err, test.want)
		}
	}
}

func TestAllMistakesInOneMessage(t *testing.T) {
	_, err := ParseInput([]byte(`{"num": 1, "powerValues": [1, 2], "strategy": "best", "payloadS3": "b/k", "balancedWeight": "two", "dryRun": "no"}`), Defaults{})
	var wrong *InputError
	if !errors.As(err, &wrong) || len(wrong.Mistakes) != 8 {
		t.Fatalf("want 8 mistakes: %v", err)
	}
	for _, want := range []string{"8 mistakes", "lambdaARN is missing", "num is 1", "powerValues holds 1", "powerValues holds 2", "strategy is", "payloadS3", "balancedWeight is", "dryRun is"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestTextThatIsNotAnInput(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "5", `"x"`, "{", `{"num":}`, "{}{}", "\x00\xff", `{"lambdaARN": "F", "num": 5, "payload": "` + strings.Repeat("x", maxInput) + `"}`} {
		_, err := ParseInput([]byte(text), Defaults{})
		var wrong *InputError
		if !errors.As(err, &wrong) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}

func TestInputWarnings(t *testing.T) {
	in, err := ParseInput([]byte(`{"lambdaARN": "F", "num": 5, "enableParallel": true, "balancedWeight": 1, "autoOptimizeAlias": "a", "sleepBetweenRunsMs": 5, "parallelInvocation": true, "onlyColdStarts": true}`), Defaults{})
	if err != nil || len(in.Warnings) != 5 {
		t.Errorf("got %q, %v; want 5 warnings", in.Warnings, err)
	}
}

func TestWeightedPayloadsTakeTurns(t *testing.T) {
	p, err := ParsePayloads([]byte(`[{"payload": {"a": 1}, "weight": 5}, {"payload": "{\"b\": 2}", "weight": 15}, {"payload": "plain", "weight": 30}]`), 100)
	if err != nil {
		t.Fatal(err)
	}
	counts, half := map[string]int{}, 0
	events := p.turns()
	for i := range 100 {
		e := string(events.next())
		counts[e]++
		if i == 49 {
			half = counts[`"plain"`]
		}
	}
	if counts[`{"a":1}`] != 10 || counts[`{"b": 2}`] != 30 || counts[`"plain"`] != 60 || half != 30 {
		t.Errorf("got %v, %d of the third in the first half", counts, half)
	}
	if p, err := ParsePayloads([]byte("no JSON"), 5); err != nil || string(p.events[0]) != `"no JSON"` {
		t.Errorf("want the text as an event: %s, %v", p.events, err)
	}
	if p, err := ParsePayloads([]byte("[1,2]"), 5); err != nil || len(p.events) != 1 || string(p.events[0]) != "[1,2]" {
		t.Errorf("want the list as one event: %s, %v", p.events, err)
	}
}

func FuzzParseInput(f *testing.F) {
	f.Add([]byte(`{"lambdaARN": "F", "num": 10, "payload": [{"payload": 1, "weight": 2}]}`))
	f.Add([]byte(`{"lambdaARN": "F", "num": 10, "powerValues": "ALL", "payloadS3": "s3://a/b%zz"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := ParseInput(data, Defaults{})
		if err == nil && (in.Num < 1 || len(in.PowerValues) == 0 || len(in.Payloads.events) == 0) {
			t.Errorf("accepted %q as %+v", data, in)
		}
	})
}
