package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/record"
)

// inputFlags are the input of a tuning. A flag stands in for a field of the file.
type inputFlags struct {
	Input      string `placeholder:"FILE" help:"Input of AWS Lambda Power Tuning, JSON; - is standard input. None is needed: the flags below, and Power Tuning's defaults, say as much."`
	Num        int    `placeholder:"N" help:"Invocations of each power value, in place of the input's num; 50 by default."`
	Powers     string `placeholder:"MB,MB" help:"Power values, or ALL, in place of the input's powerValues; 128,256,512,1024,1536,3008 by default."`
	Strategy   string `enum:"cost,speed,balanced," default:"" placeholder:"WORD" help:"cost, speed or balanced, in place of the input's."`
	Payload    string `placeholder:"FILE" help:"Payload, or weighted payloads, in place of the input's."`
	Events     string `placeholder:"FILE.jsonl" help:"An event for each invocation, one JSON value a line, in turn and from the beginning again: such as messages of a queue."`
	AssumeRole string `placeholder:"ARN" help:"Role to assume, of the account that the function is in."`
	Streamed   bool   `help:"Invoke as callers do of a function that streams its response (InvokeWithResponseStream): 200 MB at most on AWS, 6 MB in the lab."`
	Compatible bool   `help:"Cost by Power Tuning's own formula, and its rhythm: invocations back to back, one power value beside the other."`
}

// defaultNum is what is measured where nobody says how much: Power Tuning's own sample.
const defaultNum = 50

// document is the text of the input, with the flags in it.
func (c *tuneCommand) document() ([]byte, error) {
	if c.Clean {
		return []byte(`{"dryRun": true}`), nil // asks for nothing but the function
	}
	fields := map[string]json.RawMessage{}
	if c.Input != "" {
		data, err := readInput(c.Input, arm.MaxPayload)
		if err != nil {
			return nil, fmt.Errorf("reading --input: %w", err)
		}
		if json.Unmarshal(data, &fields) != nil || fields == nil {
			return data, nil //nolint:nilerr // its reader says what is wrong
		}
	}
	for _, f := range []struct {
		name  string
		given bool
		value any
	}{
		{"num", c.Num != 0 || c.Input == "", cmp.Or(c.Num, defaultNum)},
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

// payloads replaces the input's payload by a file's.
func (c *tuneCommand) payloads(in *power.Input) (err error) {
	switch {
	case c.Payload != "" && c.Events != "":
		return errors.New("--payload and --events exclude each other: give one of them")
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
		for number, line := range slices.Collect(bytes.Lines(lines)) {
			line = bytes.TrimSpace(line)
			if len(line) > 0 && !json.Valid(line) {
				return fmt.Errorf("--events %s:%d is not JSON: give one value a line", c.Events, number+1)
			}
			if len(line) > 0 {
				events = append(events, line)
			}
		}
		if len(events) == 0 {
			return fmt.Errorf("--events %s holds no event: give one JSON value a line", c.Events)
		}
		in.Payloads = power.EachPayload(events)
	default:
		return nil
	}
	in.PayloadS3 = ""
	return nil
}

// functionARN is one of Lambda's, which says its region.
var functionARN = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:([a-z0-9-]+):`)

// where is the source that is meant where none is named: AWS for an ARN, the lab for a package or where there is an assembly, else AWS.
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
