package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/driver"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/tune"
)

// tuneCommand finds the best memory size of a function. Its input is that of AWS Lambda Power Tuning.
type tuneCommand struct {
	assemblyFlags
	labFlags
	Source   record.Source `default:"lab" enum:"lab,aws" help:"Where the function runs: lab (this machine) or aws (deployed)."`
	Function []string      `placeholder:"F" help:"Function: an arm such as rawtcp/zip, a name or an ARN; the input's lambdaARN by default. Twice: both are tuned and compared."`
	Input    string        `placeholder:"FILE" help:"Input of AWS Lambda Power Tuning, JSON; - is standard input."`
	Payload  string        `placeholder:"FILE" help:"Payload, or weighted payloads, in place of the input's."`
	Seed     uint32        `help:"Seed of the order of power values; drawn and printed by default."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the result, Power Tuning's output and more, to a file; - is standard output, in place of the table."`
	DryRun   bool          `help:"Say how many calls, how long and how much, and do nothing."`
	Clean    bool          `help:"Remove what a killed tuning left: versions, aliases, the changed memory."`
}

// Help is printed below the flags.
func (tuneCommand) Help() string {
	return `Examples:
  twinstart tune --function rawtcp/zip --input input.json              in the lab
  twinstart tune --source aws --function ARN --input input.json        on AWS
  twinstart tune --function rawtcp/zip --function nethttp/zip --input input.json
                                                                       both, and a URL that compares them
An input: {"num": 50, "powerValues": [128, 256, 512, 1024, 1769, 3008], "payload": {}, "strategy": "balanced"}`
}

// Run tunes.
func (c *tuneCommand) Run(ctx context.Context, io streams) error {
	inputs, err := c.inputs()
	if err != nil {
		return err
	}
	t, names, done, err := c.open(ctx, inputs, io)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // the result is printed by then
	if c.Clean {
		return c.clean(ctx, t, names, io)
	}
	var results []*tune.Output
	for i, in := range inputs {
		in.Function = names[i]
		out, err := c.tune(ctx, t, in, io)
		if errors.Is(err, tune.ErrNothingMeasured) {
			fmt.Fprintln(io.err, "twinstart:", err)
			return errFinding
		}
		if err != nil || c.DryRun {
			if err != nil {
				return err
			}
			continue
		}
		if c.JSON != "-" {
			if err := out.WriteText(io.out); err != nil {
				return fmt.Errorf("writing the result: %w", err)
			}
		}
		results = append(results, out)
	}
	if len(results) == 2 {
		a, b := tune.CurveOf(c.Function[0], results[0].ByPowerValue), tune.CurveOf(c.Function[1], results[1].ByPowerValue)
		fmt.Fprintf(io.err, "both: %s\n", tune.CompareURL(tune.VisualizationBase, a, b))
	}
	return c.save(results, io)
}

// inputs is one input for each function.
func (c *tuneCommand) inputs() ([]tune.Input, error) {
	var data []byte
	var err error
	switch {
	case c.Input != "":
		if data, err = readEvent(c.Input); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
	case c.Clean:
		data = []byte(`{"dryRun": true}`) // asks for nothing but the function
	default:
		return nil, errors.New("--input is missing: name a file with the input of AWS Lambda Power Tuning, such as {\"num\": 50}")
	}
	functions := c.Function
	if len(functions) == 0 {
		functions = []string{""}
	}
	if len(functions) > 2 {
		return nil, fmt.Errorf("%d times --function: one is tuned, two are compared", len(functions))
	}
	var all []tune.Input
	for _, f := range functions {
		in, err := c.parse(data, f)
		if err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	return all, nil
}

// parse reads the input for one function, "" for the input's own.
func (c *tuneCommand) parse(data []byte, function string) (tune.Input, error) {
	given := function
	if function != "" { // an arm's name is none of Lambda's: it is looked up later
		var fields map[string]json.RawMessage
		if json.Unmarshal(data, &fields) == nil && fields != nil {
			delete(fields, "lambdaARN")
			data, _ = json.Marshal(fields)
		}
		if !functionName.MatchString(function) {
			given = "arm"
		}
	}
	in, err := tune.ParseInput(data, tune.Defaults{Function: given})
	if err != nil {
		return in, err
	}
	if given != function {
		in.Function, in.LambdaARN = function, function
	}
	if c.Payload != "" {
		payload, err := readEvent(c.Payload)
		if err != nil {
			return in, fmt.Errorf("--payload: %w", err)
		}
		if in.Payloads, err = tune.ParsePayloads(payload, in.Num); err != nil {
			return in, fmt.Errorf("--payload %s %w", c.Payload, err)
		}
		in.PayloadS3 = ""
	}
	return in, nil
}

var functionName = regexp.MustCompile(`^[A-Za-z0-9_:$-]+$`)

// open opens the source and looks up arms by their names.
func (c *tuneCommand) open(ctx context.Context, inputs []tune.Input, io streams) (t *tune.Tuner, names []string, done func() error, err error) {
	plain := c.Source == record.AWS
	for _, in := range inputs {
		plain = plain && functionName.MatchString(in.Function)
	}
	if plain { // nothing of an assembly is needed
		client, region, err := driver.NewAWSClient(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, in := range inputs {
			names = append(names, in.Function)
		}
		t, err := c.tuner(ctx, client, region)
		return t, names, func() error { return nil }, err
	}
	from, err := open(ctx, c.Source, c.labFlags, c.assemblyFlags)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, warning := range from.warnings {
		fmt.Fprintln(io.err, "warning:", warning)
	}
	for _, in := range inputs {
		name, err := functionOf(from.targets, in.Function)
		if err != nil {
			from.close() //nolint:errcheck // nothing has run
			return nil, nil, nil, err
		}
		names = append(names, name)
	}
	t, err = c.tuner(ctx, from.client, from.region)
	return t, names, from.close, err
}

func (c *tuneCommand) tuner(ctx context.Context, client *lambda.Client, region string) (*tune.Tuner, error) {
	t := &tune.Tuner{Lambda: client, Region: region, Source: string(c.Source), Seed: c.Seed}
	if c.Source == record.AWS {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the AWS configuration: %w", err)
		}
		t.Fetch = tune.FromS3(cfg)
	}
	return t, nil
}

// functionOf takes a function's name, or the arm of exactly one function.
func functionOf(targets []driver.Target, name string) (string, error) {
	var found []string
	var known []string
	for _, t := range targets {
		if t.FunctionName == name || strings.HasSuffix(name, ":function:"+t.FunctionName) {
			return t.FunctionName, nil
		}
		if t.Arm == name || fmt.Sprintf("%s@%d", t.Arm, t.MemorySizeMB) == name {
			found = append(found, t.FunctionName)
		}
		known = append(known, t.Arm)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no function or arm %q: the assembly has %s", name, strings.Join(known, ", "))
	}
	return "", fmt.Errorf("%d functions are of arm %s: name one as ARM@MEMORY", len(found), name)
}

// tune tunes one function, or says what that would take.
func (c *tuneCommand) tune(ctx context.Context, t *tune.Tuner, in tune.Input, io streams) (*tune.Output, error) {
	id := "cli-" + rand.Text()
	if c.DryRun {
		e, err := t.Estimate(ctx, in, id)
		if err != nil {
			return nil, err
		}
		return nil, e.Write(io.out)
	}
	total := len(in.PowerValues) * in.Num
	if !in.OnlyColdStarts {
		total += len(in.PowerValues)
	}
	bar := newProgress(io.err, total)
	t.Observe = func(e tune.Event) {
		bar.observe(record.Record{Start: record.Start(e.Phase), Arm: fmt.Sprintf("%d MB", e.Power)})
	}
	out, err := t.Run(ctx, in, id)
	bar.finish()
	return out, err
}

func (c *tuneCommand) clean(ctx context.Context, t *tune.Tuner, names []string, io streams) error {
	for _, name := range names {
		found, err := t.Clean(ctx, name)
		if err != nil {
			return err
		}
		if found {
			fmt.Fprintf(io.out, "%s is as it was before its tuning\n", name)
		} else {
			fmt.Fprintf(io.out, "%s holds nothing of a tuning\n", name)
		}
	}
	return nil
}

// save writes the results as JSON: one as it is, two as a list.
func (c *tuneCommand) save(results []*tune.Output, io streams) error {
	if c.JSON == "" || len(results) == 0 {
		return nil
	}
	var document any = results
	if len(results) == 1 {
		document = results[0]
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	text = append(text, '\n')
	if c.JSON == "-" {
		_, err = io.out.Write(text)
	} else {
		err = os.WriteFile(c.JSON, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}
