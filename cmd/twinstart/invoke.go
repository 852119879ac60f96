package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// invokeCommand invokes one arm once. The response goes unchanged to standard output, the tail of the log to standard
// error.
type invokeCommand struct {
	functionFlags
	Arm    string        `arg:"" name:"path|arm"`
	Source record.Source `group:"where" default:"lab" enum:"lab,aws"`
	Event  string        `placeholder:"FILE"`
}

// Run invokes. A function error is a finding.
func (c *invokeCommand) Run(ctx context.Context, std streams) error {
	event, err := readEvent(c.Event)
	if err != nil {
		return err
	}
	from, err := open(ctx, subject{source: c.Source, functionFlags: c.functionFlags, args: []string{c.Arm}}, std)
	if err != nil {
		return err
	}
	defer from.close() //nolint:errcheck // the answer was printed before
	if n := len(from.targets); n > 1 {
		return fmt.Errorf("%s names %d functions, but invoke takes one: name one of them", c.Arm, n)
	}
	target := from.targets[0]
	answer, err := from.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &target.FunctionName,
		Payload: target.Payload(event), LogType: types.LogTypeTail})
	if err != nil {
		return fmt.Errorf("invoking %s: %w", c.Arm, err)
	}
	fmt.Fprintf(std.out, "%s%s", answer.Payload, map[bool]string{true: "\n"}[isTerminal(std.out)])
	if tail, err := base64.StdEncoding.DecodeString(aws.ToString(answer.LogResult)); err == nil {
		fmt.Fprint(std.err, string(tail))
	}
	if answer.FunctionError != nil {
		fmt.Fprintf(std.err, "twinstart: %s ended with a function error: %s\n", c.Arm, *answer.FunctionError)
		return errFinding
	}
	return nil
}

// readEvent reads an event from a file, or from standard input for "-". Without a name it returns nil: each arm has its
// own event.
func readEvent(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	event, err := readInput(name, arm.MaxPayload+1)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w: name an existing file, or leave the flag out", err)
	}
	if len(event) > arm.MaxPayload {
		return nil, fmt.Errorf("the event in %s has over %d bytes, Lambda's limit: make it smaller", name, arm.MaxPayload)
	}
	if err := json.Unmarshal(event, new(json.RawMessage)); err != nil {
		return nil, fmt.Errorf("the event in %s is not JSON (%w): correct it, because Lambda would refuse it", name, err)
	}
	return event, nil
}

// readInput reads at most so many bytes of a file, or of standard input for "-".
func readInput(name string, most int64) ([]byte, error) {
	in, err := openInput(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, most))
}

// openInput opens a file, or standard input for "-".
func openInput(name string) (*os.File, error) {
	if name == "-" {
		return os.Stdin, nil
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, fmt.Errorf("read %s: is a directory", name)
	}
	return os.Open(name)
}
