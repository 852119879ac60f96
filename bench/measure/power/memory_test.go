package power

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"

	"github.com/twinstart/twinstart/tools/need"
)

// quick answers invocations without a network, with durations that differ.
func quick(o *lambda.Options) {
	n := 0
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("quick", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if _, is := in.Parameters.(*lambda.InvokeInput); !is {
				return next.HandleInitialize(ctx, in)
			}
			n++
			ms := float64(2000+n%9973) / 100
			line := fmt.Sprintf("REPORT RequestId: r\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB\t\n", ms, ms+1)
			return middleware.InitializeOutput{Result: &lambda.InvokeOutput{LogResult: aws.String(base64.StdEncoding.EncodeToString([]byte(line))), Payload: []byte("{}")}}, middleware.Metadata{}, nil
		}), middleware.Before)
	})
}

// The memory that a tuning needs does not grow with the number of its invocations.
func TestMemoryIsFlat(t *testing.T) {
	need.Time(t)
	// held returns by how many KiB the heap is larger at the end of measuring than at its beginning.
	held := func(num int) float64 {
		tuner := tuner(newServer(t))
		tuner.Lambda = lambda.New(tuner.Lambda.Options(), quick)
		heap := func() float64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc) / 1024
		}
		var before, after float64
		done := 0
		tuner.Observe = func(phase, _ string, _ int) {
			if phase != "measure" {
				return
			}
			switch done++; done {
			case 1:
				before = heap()
			case 2 * num:
				after = heap()
			}
		}
		out, err := tuner.Run(t.Context(), input(t, fmt.Sprintf(`{"num": %d, "powerValues": [128, 1024]}`, num)), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		if out.ByPowerValue[0].Invocations != num {
			t.Errorf("%d invocations of %d", out.ByPowerValue[0].Invocations, num)
		}
		return after - before
	}
	hundred, thousand, many, more := held(100), held(1000), held(10_000), held(100_000)
	t.Logf("held by 2 power values: %.0f KiB after 100 invocations each, %.0f after 1,000, %.0f after 10,000, %.0f after 100,000", hundred, thousand, many, more)
	if most := thousand + 256; many > most || more > most { // up to exactLimit every duration is kept
		t.Errorf("%.0f KiB after 1,000 invocations, %.0f after 10,000, %.0f after 100,000", thousand, many, more)
	}
}
