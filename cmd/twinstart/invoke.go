package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	goio "io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// invokeCommand invokes one arm once. The response goes to stdout unchanged, the log's tail to stderr.
type invokeCommand struct {
	assemblyFlags
	labFlags
	variantFlags
	Arm    string        `arg:"" name:"path|arm" help:"Deployment package (ZIP, folder, image tarball, ...), or arm of the assembly such as nethttp/zip."`
	Source record.Source `group:"where" default:"lab" enum:"lab,aws" help:"Where: lab or aws."`
	Log    string        `default:"report" enum:"report,all" help:"What of the log goes to standard error: report (the function's own lines and the figures of REPORT) or all (as it is)."`
	Event  string        `placeholder:"FILE" help:"Event: a file, or - for standard input; the arm's own by default, {} if it has none."`
}

// Run invokes. A function error is a finding.
func (c *invokeCommand) Run(ctx context.Context, io streams) error {
	event, err := readEvent(c.Event)
	if err != nil {
		return err
	}
	from, err := open(ctx, subject{source: c.Source, lab: c.labFlags, from: c.assemblyFlags, vary: c.variantFlags, args: []string{c.Arm}}, io)
	if err != nil {
		return err
	}
	defer from.close() //nolint:errcheck // the answer was printed before
	targets := from.targets
	if len(targets) > 1 {
		return fmt.Errorf("%s names %d functions: invoke takes one", c.Arm, len(targets))
	}
	answer, err := from.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &targets[0].FunctionName, Payload: targets[0].Payload(event), LogType: types.LogTypeTail})
	if err != nil {
		return fmt.Errorf("invoking %s: %w", c.Arm, err)
	}
	if isTerminal(io.out) {
		answer.Payload = append(answer.Payload, '\n')
	}
	if _, err := io.out.Write(answer.Payload); err != nil {
		return fmt.Errorf("writing the response: %w", err)
	}
	if tail, err := base64.StdEncoding.DecodeString(aws.ToString(answer.LogResult)); err == nil {
		c.writeLog(io.err, string(tail))
	}
	if answer.FunctionError != nil {
		fmt.Fprintf(io.err, "twinstart: %s ended with a function error: %s\n", c.Arm, *answer.FunctionError)
		return errFinding
	}
	return nil
}

// writeLog writes a log's tail unchanged, or the function's own lines and the figures of REPORT.
func (c *invokeCommand) writeLog(w goio.Writer, tail string) {
	for line := range strings.Lines(tail) {
		l, err := logline.Parse(strings.TrimSpace(line))
		_, lab := logline.ParseLab(strings.TrimSpace(line))
		switch {
		case err == nil && l.Kind == logline.KindReport && c.Log != "all":
			fmt.Fprintln(w, figures(l.Report))
		case c.Log == "all" || !lab && !strings.Contains(line, `"type":"platform.`) && (err != nil || l.Kind == logline.KindOther || l.Failed()):
			fmt.Fprint(w, line)
		}
	}
}

// figures formats a REPORT in one line.
func figures(r logline.Report) string {
	text := "REPORT"
	for _, f := range []struct {
		name string
		ms   *float64
	}{{"Init Duration", r.InitDurationMs}, {"Restore Duration", r.RestoreDurationMs}, {"Duration", r.DurationMs}, {"Billed Duration", r.BilledDurationMs}} {
		if f.ms != nil {
			text += fmt.Sprintf(" %s: %.2f ms ", f.name, *f.ms)
		}
	}
	if r.MaxMemoryUsedMB != nil && r.MemorySizeMB != nil {
		text += fmt.Sprintf(" Memory Used: %d of %d MB ", *r.MaxMemoryUsedMB, *r.MemorySizeMB)
	}
	return strings.TrimSpace(text + " " + strings.TrimSpace(r.Status+" "+r.ErrorType))
}

// readEvent reads a file, or standard input for "-". Without a name it returns nil: each arm has its own.
func readEvent(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	event, err := readInput(name, arm.MaxPayload+1)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w: name an existing file, or leave out --event to send {}", err)
	}
	if len(event) > arm.MaxPayload {
		return nil, fmt.Errorf("the event in %s has more than the %d bytes that Lambda takes", name, arm.MaxPayload)
	}
	if err := json.Unmarshal(event, new(json.RawMessage)); err != nil {
		return nil, fmt.Errorf("the event in %s is not JSON, so Lambda refuses it: %w", name, err)
	}
	return event, nil
}

// readInput reads at most so many bytes of a file, or of standard input for "-".
func readInput(name string, most int64) ([]byte, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return goio.ReadAll(goio.LimitReader(in, most))
}
