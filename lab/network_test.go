package lab_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/lab"
)

// shell runs a script in a function and returns its output.
func shell(t *testing.T, c *lambda.Client, script string) string {
	t.Helper()
	event, err := json.Marshal(map[string]string{"do": "shell", "path": script})
	must(t, err)
	got := invoke(t, c, "F", string(event))
	if got.failure != "" {
		t.Fatalf("%s: %+v", script, got)
	}
	return got.payload
}

func TestAllowedServices(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "for "+r.Host+" "+r.URL.Path)
	}))
	t.Cleanup(service.Close)
	to, err := url.Parse(service.URL)
	must(t, err)
	script := `u=${AWS_ENDPOINT_URL_DYNAMODB#http://}; exec 3<>/dev/tcp/${u/:/\/}; printf 'GET /a HTTP/1.0\r\nHost: h\r\n\r\n' >&3; tail -n 1 <&3`
	for _, host := range []bool{false, true} {
		c := client(t, openLab(t, lab.Options{HostNetwork: host, Allow: []lab.Door{{Name: "dynamodb", URL: to}}}, function(t, "F", nil)))
		if got := shell(t, c, script); !strings.Contains(got, "for h /a") {
			t.Errorf("the host's network %v: %s", host, got)
		}
	}
}

func TestDoorsAreReadFromText(t *testing.T) {
	t.Parallel()
	var d lab.Door
	if err := d.UnmarshalText([]byte("dynamodb=http://127.0.0.1:8000")); err != nil || d.Name != "dynamodb" || d.URL.Port() != "8000" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, bad := range []string{"", "dynamodb", "dynamodb=", "=http://x", "DynamoDB=http://x", "d=ftp://x", "d=127.0.0.1:8000", "d=http://%zz"} {
		if err := d.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "is not NAME=URL") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	c := client(t, openLab(t, lab.Options{Credentials: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAMINE"}}, function(t, "F", nil)))
	if got := invoke(t, c, "F", `{"do":"about"}`); !strings.Contains(got.payload, "AWS_ACCESS_KEY_ID=AKIAMINE") || !strings.Contains(got.payload, "AWS_SECRET_ACCESS_KEY=lab") {
		t.Errorf("got %s", got.payload)
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for want, options := range map[string]lab.Options{
		"read-ahead of -1 KiB: use 0 to":           {ReadAheadKiB: -1},
		"concurrency of 10001: use 1 to":           {Concurrency: 10001},
		"service time -1ms of the tables: use 0s ": {TableLatency: -time.Millisecond},
	} {
		if _, err := lab.New(options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", options, err, want)
		}
	}
}
