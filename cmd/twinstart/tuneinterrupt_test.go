package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/measure/power"
)

// TestTuneInterrupted interrupts `twinstart tune`, as Ctrl-C does, at one call after the other, from the first to the
// last. Each time the function must be as it was before.
func TestTuneInterrupted(t *testing.T) {
	flags := functionFlags{assemblyFlags{Assembly: assemblyOfTwoArms(t)}, labFlags{ReadAhead: 128, InitCPU: "full"}, variantFlags{}}
	from, err := openLab(t.Context(), subject{functionFlags: flags}, streams{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer from.close()
	name := from.targets[0].FunctionName
	before, err := from.client.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	var calls, at atomic.Int64
	var interrupt context.CancelFunc
	target, err := url.Parse(*from.client.Options().BaseEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorLog = log.New(io.Discard, "", 0) // the interrupted command gives up calls, which would be logged
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == at.Load() {
			interrupt()
		}
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	for key, value := range map[string]string{"AWS_ENDPOINT_URL_LAMBDA": proxy.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_CONFIG_FILE": os.DevNull} {
		t.Setenv(key, value)
	}
	input := filepath.Join(t.TempDir(), "input.json")
	if err := os.WriteFile(input, []byte(`{"num": 5, "powerValues": [256, 512], "autoOptimize": false}`), 0o644); err != nil {
		t.Fatal(err)
	}
	// tuneUntil interrupts at a call; 0 means never.
	tuneUntil := func(call int64) int {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		interrupt = cancel
		calls.Store(0)
		at.Store(call)
		var out, messages bytes.Buffer
		status := run(ctx, []string{"tune", "--source", "aws", "--function", name, "--input", input}, &out, &messages)
		if call == 0 && status != exitOK || call > 0 && status != exitInterrupted && status != exitOK {
			t.Errorf("at call %d: status %d: %s", call, status, messages.String())
		}
		return status
	}
	tuneUntil(0)
	total := calls.Load()
	t.Logf("%d calls", total)
	interrupted := 0
	for call := int64(1); call <= total; call += max(1, total/12) {
		if tuneUntil(call) == exitInterrupted {
			interrupted++
		}
		at.Store(0)
		now, err := from.client.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			t.Fatal(err)
		}
		versions, err := from.client.ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: &name})
		if err != nil {
			t.Fatal(err)
		}
		marked := strings.HasPrefix(aws.ToString(now.Description), power.Mark)
		if *now.MemorySize != *before.MemorySize || marked || len(versions.Versions) != 1 {
			t.Errorf("interrupted at call %d of %d: left %d MB (before: %d), marked %v, %d versions", call, total, *now.MemorySize, *before.MemorySize, marked, len(versions.Versions)-1)
		}
	}
	if interrupted < 8 {
		t.Errorf("only %d runs were interrupted", interrupted)
	}
}
