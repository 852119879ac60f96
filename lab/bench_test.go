package lab_test

import (
	"context"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
)

// client returns the AWS SDK's client of a lab: over loopback and without retries, as bench measures.
func client(t testing.TB, l *lab.Lab) *lambda.Client {
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return lambda.New(lambda.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("lab", "lab", ""),
		APIOptions:  []func(*middleware.Stack) error{smithyhttp.AddHeaderValue(arm.HeaderCounts, "1")},
	})
}

var (
	durationField = regexp.MustCompile(`REPORT RequestId: \S+\tDuration: ([0-9.]+) ms`)
	initField     = regexp.MustCompile(`\tInit Duration: ([0-9.]+) ms`)
)

func field(t testing.TB, re *regexp.Regexp, out *lambda.InvokeOutput) float64 {
	t.Helper()
	m := re.FindStringSubmatch(tail(t, out))
	if m == nil {
		t.Fatalf("no %v in %s", re, tail(t, out))
	}
	f, err := strconv.ParseFloat(m[1], 64)
	must(t, err)
	return f
}

// tail returns the log that came with a response.
func tail(t testing.TB, out *lambda.InvokeOutput) string {
	t.Helper()
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	must(t, err)
	return string(log)
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// BenchmarkWarm prints how much time the lab and its API add to a warm invocation: the median of the caller's time
// minus the Duration in the log.
func BenchmarkWarm(b *testing.B) {
	l := newLab(b, spec{id: "Echo", files: map[string]string{"bootstrap": builtBootstrap(b)}, props: map[string]any{"MemorySize": 1769}})
	c := client(b, l)
	in := &lambda.InvokeInput{FunctionName: aws.String("Echo"), Payload: []byte(`{}`), LogType: types.LogTypeTail}
	var added, duration []float64
	for i := range b.N + 20 {
		began := time.Now()
		out, err := c.Invoke(context.Background(), in)
		wall := ms(time.Since(began))
		must(b, err)
		if i >= 20 {
			d := field(b, durationField, out)
			added, duration = append(added, wall-d), append(duration, d)
		}
	}
	b.ReportMetric(median(added)*1000, "added-us-p50")
	b.ReportMetric(median(duration)*1000, "duration-us-p50")
}

// BenchmarkColdStart prints the caller's time of a forced cold start (update, then invoke) and its Init Duration. Both
// are medians.
func BenchmarkColdStart(b *testing.B) {
	l := newLab(b, spec{id: "Echo", files: map[string]string{"bootstrap": builtBootstrap(b)}, props: map[string]any{"MemorySize": 1024}})
	c := client(b, l)
	var walls, inits []float64
	for i := range b.N {
		began := time.Now()
		_, err := c.UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("Echo"), Environment: &types.Environment{Variables: map[string]string{"NONCE": strconv.Itoa(i)}},
		})
		must(b, err)
		out, err := c.Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("Echo"), Payload: []byte(`{}`), LogType: types.LogTypeTail})
		must(b, err)
		walls, inits = append(walls, ms(time.Since(began))), append(inits, field(b, initField, out))
	}
	b.ReportMetric(median(walls), "wall-ms-p50")
	b.ReportMetric(median(inits), "init-ms-p50")
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }
