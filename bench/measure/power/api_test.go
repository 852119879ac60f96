package power

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// server is Lambda's API over real HTTP. F and G have 1024 MB, and a version and an alias that their user made. They need
// 100 ms of CPU. pre and post are processors.
type server struct {
	*double.Lambda
	*httptest.Server
}

const functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:F"

func newServer(t *testing.T) *server {
	s := &server{Lambda: double.New(double.Configuration("F", 1024), double.Configuration("G", 1024), double.Configuration("pre", 128), double.Configuration("post", 128))}
	s.InProgress = 1
	for _, name := range []string{"F", "G"} {
		if _, err := s.Publish(name, api.Publication{}); err != nil {
			t.Fatal(err)
		}
		s.Alias(name, "live", "1")
	}
	s.answer(double.Working)
	s.Server = httptest.NewServer(s.Lambda)
	t.Cleanup(s.Close)
	return s
}

// answer sets what the functions answer, except the processors.
func (s *server) answer(run func(double.Run) double.Answer) {
	s.Run = func(r double.Run) double.Answer {
		event := string(r.Payload)
		switch {
		case r.Name != "pre" && r.Name != "post":
			return run(r)
		case strings.Contains(event, "break "+r.Name):
			return double.Answer{FunctionError: `{"errorType":"Broken","errorMessage":"by the test"}`}
		case r.Name == "pre" && strings.Contains(event, "replace"):
			return double.Answer{Payload: `{"replaced":true}`}
		}
		return double.Answer{Payload: "null"}
	}
}

func (s *server) client() *lambda.Client {
	return lambda.New(lambda.Options{BaseEndpoint: &s.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 2; o.MaxBackoff = 1e6 })})
}

// events counts the invocations of each event.
func (s *server) events() map[string]int {
	events := map[string]int{}
	for _, c := range s.Calls() {
		if c.Operation == "Invoke" {
			events[c.Body]++
		}
	}
	return events
}

// invoked returns the qualifiers of F's invocations, in order.
func (s *server) invoked() (qualifiers []string) {
	for _, c := range s.Calls() {
		if c.Operation == "Invoke" && c.Function == "F" {
			qualifiers = append(qualifiers, c.Qualifier)
		}
	}
	return qualifiers
}

// latest returns $LATEST of F.
func (s *server) latest(t *testing.T) api.Configuration {
	t.Helper()
	c, err := s.Function("F")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// left returns the numbers of a function's versions and the names of its aliases.
func (s *server) left(t *testing.T, function string) (versions, aliases []string) {
	t.Helper()
	all, err := s.Versions(function)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all[1:] {
		versions = append(versions, v.Version)
	}
	list, w := struct{ Aliases []struct{ Name string } }{}, httptest.NewRecorder()
	s.Next.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/2015-03-31/functions/"+function+"/aliases", nil)) // Calls does not list this call
	if err := json.NewDecoder(w.Body).Decode(&list); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, err)
	}
	for _, a := range list.Aliases {
		aliases = append(aliases, a.Name)
	}
	return versions, aliases
}

// untouched fails the test unless both functions are as they were.
func (s *server) untouched(t *testing.T) {
	t.Helper()
	for _, c := range s.List() {
		if c.Name != "F" && c.Name != "G" {
			continue
		}
		if c.MemorySizeMB != 1024 || c.Description != "" || !maps.Equal(c.Environment, map[string]string{"KEEP": "me"}) {
			t.Errorf("$LATEST was left changed: %+v", c)
		}
		versions, aliases := s.left(t, c.Name)
		if !slices.Equal(versions, []string{"1"}) || !slices.Equal(aliases, []string{"live"}) {
			t.Errorf("%s has versions %q and aliases %q, want 1 and live", c.Name, versions, aliases)
		}
	}
}

// Run tunes one function.
func (t *Tuner) Run(ctx context.Context, in Input, id string) (*Output, error) {
	swept, err := t.Sweep(ctx, []Candidate{{Input: in}}, id)
	if err != nil {
		return nil, err
	}
	return swept.Functions[0], nil
}

// alone returns the result of a tuning of one function, from that function's output.
func alone(o *Output) *Sweep {
	best := Choice{Name: o.Name, Power: o.Power}
	return &Sweep{Best: best, Recommendation: o.Recommendation, Functions: []*Output{o}}
}
