package measure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
	"github.com/twinstart/twinstart/tools/need"
)

// within calls a handler of this process without a network, so that synctest's clock is the only clock.
type within struct{ http.Handler }

func (w within) Do(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	r.Host = r.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// far stands for Lambda as called from a desk: every call takes 50 ms, and an update takes a second. Use it in
// synctest.Test, whose clock does not wait.
func far(n int) (*double.Lambda, *lambda.Client, []Target) {
	var functions []api.Configuration
	var all []Target
	for i := range n {
		c := double.Configuration(fmt.Sprintf("F%d", i), 1024)
		functions = append(functions, c)
		d := runfile.Deployed{Architecture: "arm64", MemorySizeMB: 1024}
		all = append(all, Target{Identity: arm.Identity{Experiment: "packaging", Arm: c.Name, MemorySizeMB: 1024}, FunctionName: c.Name, Deployed: &d})
	}
	d := double.New(functions...)
	d.Takes = time.Second
	d.Decide = func(double.Call) *double.Fault { return &double.Fault{Delay: 50 * time.Millisecond} }
	d.Run = func(r double.Run) double.Answer {
		a := double.Working(r)
		time.Sleep(time.Duration((a.InitMs + a.DurationMs) * float64(time.Millisecond)))
		return a
	}
	return d, lambda.New(lambda.Options{BaseEndpoint: aws.String("http://127.0.0.1"), Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: within{d}}, patiently), all
}

func onAWS(cold, warm int) Options {
	return Options{Source: record.AWS, RunID: "run", Seed: 7, Cold: cold, Warm: warm, Parallel: 8, Pace: 100 * time.Millisecond, Poll: 250 * time.Millisecond}
}

// By synctest's clock, which stands still while this machine works, the default run of the default experiment takes at
// most 15 minutes. No operation is called more often than an account's quota allows.
func TestADefaultRunTakesAQuarterOfAnHour(t *testing.T) {
	need.Time(t)
	synctest.Test(t, func(t *testing.T) {
		d, lambda, targets := far(26)
		begin := time.Now()
		var got memory
		out, err := Run(t.Context(), lambda, targets, onAWS(60, 100), nil, &got)
		took := time.Since(begin)
		if err != nil || out.Marked > 0 || len(out.NotMeasured)+len(out.Unrestored) > 0 || len(got) != 26*(60+10+100) {
			t.Fatalf("%d records, %+v, %v", len(got), out, err)
		}
		guess := EstimateArms(slices.Repeat([]int{1}, 26), 0, 0, onAWS(60, 100))
		updates, looks := float64(d.Count("UpdateFunctionConfiguration")), float64(d.Count("GetFunction"))
		t.Logf("%v for %d samples, guessed %v; %.1f updates and %.1f looks a second", took.Round(time.Second), len(got), guess.Round(time.Second), updates/took.Seconds(), looks/took.Seconds())
		if took > 15*time.Minute || updates/took.Seconds() > 15 || looks/took.Seconds() > 100 || d.Count("GetFunctionConfiguration") > 0 {
			t.Error("want at most 15 minutes, 15 updates and 100 looks a second, and no GetFunctionConfiguration")
		}
		if guess < took/2 || guess > 2*took {
			t.Errorf("the run takes %v, but EstimateArms says %v", took, guess)
		}
		for _, f := range d.List() {
			if len(f.Environment) != 1 {
				t.Errorf("%s keeps %v", f.Name, f.Environment)
			}
		}
	})
}

// If a function can never be updated, or never becomes active, the run waits for a limited time by synctest's clock. Then
// it gives up that arm and measures the others.
func TestAnUpdateWithoutEnd(t *testing.T) {
	for name, arrange := range map[string]func(*double.Lambda){
		"conflict": func(d *double.Lambda) {
			d.Strike(&double.Fault{Function: "F1", Operation: "UpdateFunctionConfiguration", After: 2, Error: api.Conflict("An update is in progress")})
		},
		"in progress": func(d *double.Lambda) { d.Busy("F1", 1<<30) },
		"inactive": func(d *double.Lambda) {
			d.Change("F1", func(c *api.Configuration) { c.State = "Inactive" })
			d.Strike(&double.Fault{Function: "F1", Operation: "Invoke", Error: api.Conflict("Pending")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, lambda, targets := far(2)
				arrange(d)
				begin := time.Now()
				var got memory
				out, err := Run(t.Context(), lambda, targets, onAWS(4, 0), nil, &got)
				if err != nil || len(out.NotMeasured) != 1 || !strings.Contains(out.NotMeasured[0].Why, "F1") || time.Since(begin) > 17*time.Minute {
					t.Errorf("after %v: %+v, %v", time.Since(begin), out, err)
				}
				if n := len(got.where(func(r record.Record) bool { return r.Arm == "F0" && r.Marked == "" })); n != 4 {
					t.Errorf("%d samples of the other function, want 4", n)
				}
			})
		})
	}
}

// The first run measures a function's first start after its deployment. The second run does not, although the first one
// has changed the function.
func TestTheSecondRunOfADayHasNoFirstStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lambda, targets := far(1)
		d.Change("F0", func(c *api.Configuration) { c.LastModified = time.Now() })
		time.Sleep(2 * time.Second)
		targets[0].DeployedAt = time.Now()
		o := onAWS(3, 0)
		o.FirstAfterDeploy, o.Fresh = 1, 24*time.Hour
		for run, want := range []int{1, 0} {
			time.Sleep(time.Hour)
			var got memory
			if _, err := Run(t.Context(), lambda, targets, o, nil, &got); err != nil {
				t.Fatal(err)
			}
			if n := len(got.where(func(r record.Record) bool { return r.FirstAfterDeploy })); n != want {
				t.Errorf("run %d has %d first starts, want %d", run+1, n, want)
			}
		}
	})
}
