package double_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// client returns a client of the double. It does not retry.
func client(url string) *lambda.Client {
	return lambda.New(lambda.Options{BaseEndpoint: &url, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), Retryer: aws.NopRetryer{}})
}

// The third answer of an update is lost, but the update has taken effect.
func ExampleFaults() {
	d := double.New(double.Configuration("orders", 512))
	d.Strike(&double.Fault{Operation: "UpdateFunctionConfiguration", After: 2, Lost: true})
	server := httptest.NewServer(d)
	defer server.Close()
	for _, memory := range []int32{128, 256, 1024} {
		_, err := client(server.URL).UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("orders"), MemorySize: &memory})
		fmt.Println(memory, "MB answered:", err == nil)
	}
	c, _ := d.Function("orders")
	fmt.Println("it has", c.MemorySizeMB, "MB after", d.Count("UpdateFunctionConfiguration"), "calls")
	// Output:
	// 128 MB answered: true
	// 256 MB answered: true
	// 1024 MB answered: false
	// it has 1024 MB after 3 calls
}

// For each kind of fault: what a client sees when it sends three updates, and their effect.
func TestFaults(t *testing.T) {
	const update = "UpdateFunctionConfiguration"
	for name, test := range map[string]struct {
		fault   double.Fault
		answers string // of the three: a code, "cut" or "ok"
		memory  int    // at the end; each update asks for one MB more than 1000
		reached int    // updates that took effect
	}{
		"another operation": {double.Fault{Operation: "Invoke", Cut: true}, "ok ok ok", 1003, 3},
		"another function":  {double.Fault{Function: "G", Cut: true}, "ok ok ok", 1003, 3},
		"error once":        {double.Fault{Operation: update, After: 1, Times: 1, Error: double.Service("ServiceException")}, "ok ServiceException ok", 1003, 2},
		"error always":      {double.Fault{Error: double.Denied("lambda:UpdateFunctionConfiguration")}, "AccessDeniedException AccessDeniedException AccessDeniedException", 512, 0},
		"expired later":     {double.Fault{After: 2, Error: double.Expired()}, "ok ok ExpiredTokenException", 1002, 2},
		"cut before":        {double.Fault{Operation: update, After: 2, Cut: true}, "ok ok cut", 1002, 2},
		"answer lost":       {double.Fault{Operation: update, After: 2, Lost: true}, "ok ok cut", 1003, 3},
		"taken twice":       {double.Fault{Operation: update, Times: 1, Twice: true}, "ok ok ok", 1003, 4},
	} {
		t.Run(name, func(t *testing.T) {
			d := double.New(double.Configuration("F", 512), double.Configuration("G", 512))
			d.Strike(&test.fault)
			server := httptest.NewServer(d)
			defer server.Close()
			answers := ""
			for i := range int32(3) {
				_, err := client(server.URL).UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F"), MemorySize: aws.Int32(1001 + i)})
				answers += answer(err) + " "
			}
			c, err := d.Function("F")
			want := "r1"
			if test.reached > 0 {
				want = fmt.Sprintf("r%d", 2+test.reached) // r2 is G's
			}
			if err != nil || answers != test.answers+" " || c.MemorySizeMB != test.memory || c.RevisionID != want {
				t.Errorf("answers %s, then %d MB at %s, %v", answers, c.MemorySizeMB, c.RevisionID, err)
			}
			if calls := d.Calls(); len(calls) != 3 || calls[0].Region != "eu-west-1" || calls[0].Operation != update || calls[0].Function != "F" {
				t.Errorf("calls %+v", calls)
			}
		})
	}
}

func answer(err error) string {
	var e smithy.APIError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.ErrorCode()
	}
	return "cut"
}

// An update is visible and complete only after the set numbers of reads. Until then, publishing is refused.
func TestAnUpdateTakesItsTime(t *testing.T) {
	d := double.New(double.Configuration("F", 512))
	d.Stale, d.InProgress = 1, 2
	server := httptest.NewServer(d)
	defer server.Close()
	c := client(server.URL)
	change := func(memory int32) string {
		_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F"), MemorySize: &memory})
		return answer(err)
	}
	seen := change(1024)
	for range 4 {
		now, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:123456789012:function:F")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F")})
		seen += fmt.Sprintf(", %d %s %s", *now.MemorySize, now.LastUpdateStatus, answer(err))
	}
	const conflict = " ResourceConflictException"
	if want := "ok, 512 Successful" + conflict + ", 1024 InProgress" + conflict + ", 1024 InProgress ok, 1024 Successful ok"; seen != want {
		t.Errorf("got  %s\nwant %s", seen, want)
	}
	if versions, err := d.Versions("F"); err != nil || len(versions) != 2 { // the second call has nothing to publish
		t.Errorf("the versions are %+v, %v", versions, err)
	}
}

// A version with SnapStart is Pending until its snapshot is taken. Before that it cannot be called or deleted. Each of
// its environments is restored once. $LATEST has no snapshot. A /tmp that is too large for a snapshot is refused.
func TestSnapStart(t *testing.T) {
	one := double.Configuration("F", 512)
	one.SnapStart = true
	d := double.New(one)
	d.Snapshots = 1
	d.Publishing = func(c *api.Configuration) {
		if c.Version == "2" {
			c.State, c.StateReason = "Failed", "FunctionError"
		}
	}
	server := httptest.NewServer(d)
	defer server.Close()
	c, name := client(server.URL), aws.String("F")
	call := func(qualifier string) string {
		out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, Qualifier: &qualifier, LogType: types.LogTypeTail})
		if err != nil {
			return answer(err)
		}
		log, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		for _, start := range []string{"Restore Duration", "Init Duration"} {
			if strings.Contains(string(log), "\t"+start) {
				return start
			}
		}
		return "warm"
	}
	state := func(version string) string {
		now, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: &version})
		if err != nil {
			return answer(err)
		}
		return string(now.State) + " " + string(now.SnapStart.OptimizationStatus)
	}
	remove := func(version string) string {
		_, err := c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: &version})
		return answer(err)
	}
	publish := func() string {
		_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: aws.String(fmt.Sprint(d.Count("PublishVersion")))})
		if err == nil {
			_, err = c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name})
		}
		return answer(err)
	}
	_, tooMuch := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)}})
	got := []string{answer(tooMuch), publish(), call("1"), remove("1"), state("1"), state("1"), call("1"), call("1"), call("$LATEST"), state("$LATEST"), remove("1"), publish(), state("2"), state("2"), call("2"), remove("2")}
	want := []string{"InvalidParameterValueException", "ok", "SnapStartNotReadyException", "ResourceConflictException", "Pending Off", "Active On", "Restore Duration", "warm", "Init Duration", "Active Off", "ok",
		"ok", "Pending Off", "Failed Off", "ResourceConflictException", "ok"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
