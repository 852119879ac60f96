package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/api/double"
)

// TestRunFunctionsOfAnybody measures deployed functions by their ARNs, without an assembly and without AWS_REGION.
func TestRunFunctionsOfAnybody(t *testing.T) {
	inEmptyFolder(t)
	d := double.New(double.Configuration("orders", 1024), double.Configuration("carts", 512))
	d.Run = double.Working
	serve := d.Next
	d.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/provisioned-concurrency") {
			fmt.Fprint(w, `{"ProvisionedConcurrencyConfigs": []}`)
			return
		}
		serve.ServeHTTP(w, r)
	})
	server := httptest.NewServer(d)
	defer server.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": ""} {
		t.Setenv(name, value)
	}
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:"
	status, stdout, stderr := twinstart(t, "run", "--source", "aws", arn+"orders", "--function", arn+"carts", "--force-cold", "--cold", "2", "--warm", "2", "--pace", "0s")
	if status != exitOK {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	if got, want := armsOf(t, filepath.Join("out", functionsExperiment)), []string{"carts @512 MB", "orders @1024 MB"}; !slices.Equal(got, want) {
		t.Errorf("arms %q, want %q", got, want)
	}
	for _, test := range []struct{ args, want string }{
		{arn + "orders,orders", "is not the ARN of a function"},
		{arn + "orders," + strings.Replace(arn, "eu-west-1", "eu-west-2", 1) + "orders", "one region at a time"},
		{arn + "absent", "absent"},
	} {
		status, _, stderr := twinstart(t, append([]string{"run", "--source", "aws", "--force-cold"}, strings.Split(test.args, ",")...)...)
		if status != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: status %d: %s", test.args, status, stderr)
		}
	}
}
