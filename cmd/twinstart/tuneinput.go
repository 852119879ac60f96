package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/price"
)

// inputFlags are the input of a tuning. A flag replaces a field of the file.
type inputFlags struct {
	Input      string `placeholder:"FILE"`
	Num        *int   `placeholder:"N"`
	Powers     string `placeholder:"MB,MB"`
	Strategy   string `enum:"cost,speed,balanced," default:"" placeholder:"WORD"`
	Payload    string `xor:"payload" placeholder:"FILE"`
	Events     string `xor:"payload" placeholder:"FILE.jsonl"`
	AssumeRole string `placeholder:"ARN"`
	Streamed   bool
	Compatible bool
}

// defaultNum is the default number of invocations, as in Power Tuning's sample.
const defaultNum = 50

// document returns the input with the flags applied.
func (c *tuneCommand) document() ([]byte, error) {
	if c.Clean {
		return []byte(`{"dryRun": true}`), nil // only the function is needed
	}
	fields := map[string]json.RawMessage{}
	if c.Input != "" {
		data, err := readInput(c.Input, arm.MaxPayload)
		if err != nil {
			return nil, fmt.Errorf("reading --input: %w", err)
		}
		if json.Unmarshal(data, &fields) != nil || fields == nil {
			return data, nil //nolint:nilerr // power.ParseInput reports the mistake
		}
	}
	if len(c.Function) > 0 {
		delete(fields, "lambdaARN")
	}
	for _, f := range []struct {
		name  string
		given bool
		value any
	}{
		{"num", c.Num != nil || c.Input == "", cmp.Or(c.Num, new(defaultNum))},
		{"powerValues", c.Powers == "ALL", c.Powers},
		{"powerValues", c.Powers != "" && c.Powers != "ALL", strings.Split(c.Powers, ",")},
		{"strategy", c.Strategy != "", c.Strategy},
		{"assumeRoleARN", c.AssumeRole != "", c.AssumeRole},
		{"compatible", c.Compatible, true},
		{"streamed", c.Streamed, true},
	} {
		if f.given {
			fields[f.name], _ = json.Marshal(f.value) // text, numbers and lists of text
		}
	}
	return json.Marshal(fields)
}

// payloads replaces the input's payload with a file's.
func (c *tuneCommand) payloads(in *power.Input) error {
	switch {
	case c.Payload != "":
		payload, err := readEvent(c.Payload)
		if err != nil {
			return fmt.Errorf("--payload: %w", err)
		}
		if in.Payloads, err = power.ParsePayloads(payload, in.Num); err != nil {
			return fmt.Errorf("--payload %s %w", c.Payload, err)
		}
	case c.Events != "":
		lines, err := os.ReadFile(c.Events)
		if err != nil {
			return fmt.Errorf("--events: %w", err)
		}
		var events [][]byte
		for number, line := range bytes.Split(lines, []byte("\n")) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if events = append(events, line); !json.Valid(line) {
				return fmt.Errorf("--events %s:%d is not JSON: give one value a line", c.Events, number+1)
			}
		}
		if len(events) == 0 {
			return fmt.Errorf("--events %s holds no event: give one JSON value a line", c.Events)
		}
		in.Payloads = power.EachPayload(events...)
	default:
		return nil
	}
	in.PayloadS3 = ""
	return nil
}

// functionName matches a name of Lambda, which needs no assembly. functionARN matches the ARN of a function and
// captures its region.
var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_:$-]+$`)
	functionARN  = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:([a-z0-9-]+):`)
)

// open checks the input, opens the source, and finds the functions. If all are given by name or ARN, no assembly is
// needed.
func (c *tuneCommand) open(ctx context.Context, data []byte, std streams) (
	from *source, candidates []power.Candidate, err error) {
	given := c.Function
	if len(given) == 0 {
		given = []string{""}
	}
	var names []string
	plain, region := c.Source == record.AWS, ""
	for _, f := range given {
		candidate, err := c.candidate(data, f)
		if err != nil {
			return nil, nil, err // before anything is started
		}
		candidates, names = append(candidates, candidate), append(names, afterFunction(candidate.Input.Function))
		plain = plain && functionName.MatchString(candidate.Input.Function)
		region = cmp.Or(region, candidate.Input.Region)
	}
	if plain {
		cfg, err := account.InRegion(ctx, region)
		return newAWS(cfg), candidates, err
	}
	flags := functionFlags{assemblyFlags: c.assemblyFlags, labFlags: c.labFlags}
	from, err = open(ctx, subject{source: c.Source, functionFlags: flags, args: names}, std)
	if err != nil {
		return nil, nil, err
	}
	in := candidates[0].Input // the others differ only in the function
	in.Qualifier, in.Region, candidates = "", "", nil
	for _, t := range from.targets {
		if slices.ContainsFunc(candidates, func(other power.Candidate) bool { return other.Name == t.Arm }) {
			continue // the same arm at another memory size: a tuning varies the size itself
		}
		in.Function = t.FunctionName
		candidates = append(candidates, power.Candidate{Name: t.Arm, Identity: t.Identity, Input: in})
	}
	if len(from.lacking) > 0 {
		err = errors.Join(errors.New(arm.Reasons(from.lacking)), from.close())
	}
	return from, candidates, err
}

// afterFunction returns the name in a function's ARN, whole or partial, or the text itself.
func afterFunction(text string) string {
	if _, name, isARN := strings.Cut(text, ":function:"); isARN {
		return name
	}
	return text
}

// candidate reads the input for one function; "" means the function in the input.
func (c *tuneCommand) candidate(data []byte, function string) (power.Candidate, error) {
	given := function
	if function != "" && !functionName.MatchString(function) {
		given = "arm" // stands for the arm, which is not a function's name and is looked up later
	}
	in, err := power.ParseInput(data, power.Defaults{Function: given})
	if given != function {
		in.Function = function
	}
	if err == nil {
		err = c.payloads(&in)
	}
	return power.Candidate{Name: afterFunction(function), Input: in}, err
}

func (c *tuneCommand) tuner(ctx context.Context, from *source) (*power.Tuner, error) {
	prices, err := price.Load(c.Prices)
	if err != nil {
		return nil, fmt.Errorf("--prices: %w", err)
	}
	t := &power.Tuner{Lambda: from.client, Region: from.config.Region, Source: string(c.Source), Seed: c.Seed,
		Prices: prices}
	if c.Source == record.AWS {
		t.Fetch, t.Connect = power.FromS3(from.config), power.Connector(from.config)
		t.Beside = cmp.Or(c.Parallel, concurrency(ctx, from.client))
	}
	return t, nil
}

// where returns the source. By default it is AWS for an ARN, the lab for a package or if there is an assembly, else
// AWS.
func (c *tuneCommand) where() record.Source {
	if c.Source != "" {
		return c.Source
	}
	for _, f := range c.Function {
		if functionARN.MatchString(f) {
			return record.AWS
		}
		if _, err := os.Stat(f); err == nil {
			return record.Lab
		}
	}
	if _, err := os.Stat(c.Assembly); err == nil || c.Assembly != defaultAssembly {
		return record.Lab
	}
	return record.AWS
}
