package power

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/twinstart/twinstart/lab/api/double"
)

// compiled is a schema of the folder schema, which refer to each other by their files' names.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, n := range []string{"input", "output", "sweep"} {
		text, err := os.ReadFile("schema/" + n + ".json")
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("https://twinstart.example/"+n+".json", document); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://twinstart.example/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid says what a schema thinks of a value's JSON.
func valid(t *testing.T, s *jsonschema.Schema, value any) error {
	t.Helper()
	text, ok := value.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(value); err != nil {
			t.Fatal(err)
		}
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(document)
}

// What runs leaves the tuning's own hands valid: warm, cold, with failures, dry, optimised, of several functions, of a
// state machine.
func TestOutputsAreValid(t *testing.T) {
	output, sweep := compiled(t, "output"), compiled(t, "sweep")
	for _, text := range []string{
		`{"num": 5}`, `{"num": 250, "powerValues": [128, 1769], "includeOutputResults": true, "strategy": "balanced"}`, `{"num": 5, "onlyColdStarts": true, "powerValues": [128]}`,
		`{"dryRun": true}`, `{"num": 5, "powerValues": [128, 2048], "autoOptimize": true, "autoOptimizeAlias": "live"}`, `{"num": 5, "payload": "too small", "powerValues": [128, 512]}`,
	} {
		s := newServer(t)
		good := s.Run
		s.answer(func(r double.Run) double.Answer {
			if string(r.Payload) == `"too small"` && r.MemorySizeMB == 128 {
				return double.Answer{DurationMs: 3, FunctionError: `{"errorType":"E"}`}
			}
			return good(r)
		})
		out, err := tuner(s).Run(t.Context(), input(t, text), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, output, out); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	s := newServer(t)
	out, _, err := newMachine(s, `{"lambdaARN": "F", "num": 5, "includeOutputResults": true}`).run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, output, out); err != nil {
		t.Errorf("state machine: %v", err)
	}
	swept, err := tuner(pair(t)).Sweep(t.Context(), candidates(t, `{"num": 5, "powerValues": [128, 512]}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, sweep, swept); err != nil {
		t.Error(err)
	}
}

// The published output is valid, with and without stats; what lacks a field or has a wrong one is not.
func TestOutputSchemaOfOthers(t *testing.T) {
	output := compiled(t, "output")
	const machine = `"stateMachine": {"executionCost": 0.00045, "lambdaCost": 0.0005252, "visualization": "` + published + `"}`
	for text, want := range map[string]bool{
		`{"power": "128", "cost": 2.083e-7, "duration": 2.9066666666666667, ` + machine + `}`:                                                                                          true,
		`{"power": 128, "cost": 2.083e-7, "duration": 2.9, ` + machine + `, "stats": [{"averagePrice": 1e-7, "averageDuration": 3, "value": 128}]}`:                                    true,
		`{"power": 128, "cost": 2.083e-7, ` + machine + `}`:                                                                                                                            false,
		`{"power": 128, "cost": "0", "duration": 2.9, ` + machine + `}`:                                                                                                                false,
		`{"power": 128, "cost": 0, "duration": 2.9, "stateMachine": {"executionCost": 0, "lambdaCost": 0, "visualization": "https://x/#AAA"}}`:                                         false,
		`{"power": 128, "cost": 0, "duration": 2.9, ` + machine + `, "stats": [{"averagePrice": 1e-7, "value": 128}]}`:                                                                 false,
		`{"power": 128, "cost": 0, "duration": 2.9, ` + machine + `, "byPowerValue": [{"value": 128, "invocations": 1, "coldStarts": 0, "averageDuration": 1, "averagePrice": 1e-7}]}`: false,
	} {
		if err := valid(t, output, []byte(text)); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// beyond are the fields of which a schema cannot say all: ARNs, names of aliases, weights against num, slips of the
// keyboard.
var beyond = map[string]bool{"lambdaARN": true, "preProcessorARN": true, "postProcessorARN": true, "autoOptimizeAlias": true, "payload": true,
	"powerValue": true, "LambdaArn": true, "lmiConfig": true}

// The schema of the input and its parser are of one mind.
func TestInputSchemaAgreesWithTheParser(t *testing.T) {
	s := compiled(t, "input")
	paths, _ := filepath.Glob("testdata/inputs/*.json")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, s, data); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, test := range inputMistakes {
		text := []byte(documentWith(test.field, test.value))
		if err := valid(t, s, text); err == nil && !beyond[test.field] {
			t.Errorf("%s is valid by the schema, and no input: %s", text, test.want)
		}
	}
}
