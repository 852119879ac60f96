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

// compiled returns a schema of the folder schema. Schemas refer to each other by file name.
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

// valid returns an error if a schema does not accept a value's JSON.
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

// The schemas accept the output of each kind of tuning: warm, cold, with failures, dry, optimised, of several functions,
// of a state machine.
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
		t.Errorf("several functions: %v", err)
	}
}

// The schema accepts Power Tuning's published output, with and without stats. It refuses an output that lacks a field or
// has a wrong one.
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
			t.Errorf("accepted is %t, want %t: %s: %v", err == nil, want, text, err)
		}
	}
}

// beyond are the fields that a schema cannot check in full: ARNs, names of aliases, weights that must fit num, misspelt
// field names.
var beyond = map[string]bool{"lambdaARN": true, "preProcessorARN": true, "postProcessorARN": true, "autoOptimizeAlias": true, "payload": true,
	"powerValue": true, "LambdaArn": true, "lmiConfig": true}

// The input's schema accepts the published inputs. It refuses what the parser refuses, except for the fields in beyond.
func TestInputSchemaAgreesWithTheParser(t *testing.T) {
	s := compiled(t, "input")
	paths, err := filepath.Glob("testdata/inputs/*.json")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d published inputs, %v", len(paths), err)
	}
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
			t.Errorf("the schema accepts %s, and the parser refuses it: %s", text, test.want)
		}
	}
}
