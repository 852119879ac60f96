package handlerlib_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/twinstart/twinstart/tools/need"
)

// Lambda's credentials are temporary, so they have a session token.
var temporary = aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY==", SessionToken: "IQoJb3JpZ2luX2VjE/+=="}

// signatures is a server that computes the signature of a request with the SDK's signer, and refuses a request with
// another signature.
func signatures(t *testing.T, service string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent := r.Header.Get("Authorization")
		_, signed, _ := strings.Cut(sent, "SignedHeaders=")
		signed, _, _ = strings.Cut(signed, ",")
		for _, name := range []string{"host", "x-amz-date", "x-amz-security-token"} {
			if !slices.Contains(strings.Split(signed, ";"), name) {
				t.Errorf("%s is not signed: %s", name, sent)
			}
		}
		again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		for name := range r.Header { // the SDK must sign the same headers
			if lower := strings.ToLower(name); slices.Contains(strings.Split(signed, ";"), lower) {
				again.Header[name] = r.Header[name]
			}
		}
		if !slices.Contains(strings.Split(signed, ";"), "content-length") {
			again.ContentLength = 0
		}
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Error(err)
		}
		hash := fmt.Sprintf("%x", sha256.Sum256(body))
		if declared := r.Header.Get("X-Amz-Content-Sha256"); declared != "" {
			hash = declared
		}
		if err := v4.NewSigner().SignHTTP(t.Context(), temporary, again, hash, service, "eu-west-1", at); err != nil {
			t.Error(err)
		}
		if want := again.Header.Get("Authorization"); strings.ReplaceAll(sent, " ", "") != strings.ReplaceAll(want, " ", "") {
			w.WriteHeader(http.StatusForbidden)
			t.Logf("signature %s, want %s", sent, want)
			fmt.Fprint(w, `{"message":"another signature"}`) // always the same text
			return
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.RequestURI(), body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAWS(t *testing.T) {
	need.Tool(t, "curl")
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", temporary.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", temporary.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", temporary.SessionToken)
	t.Setenv("NO_PROXY", "127.0.0.1")
	for _, test := range []struct{ service, endpoint, script, want string }{
		{"dynamodb", "AWS_ENDPOINT_URL_DYNAMODB", `lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: DynamoDB_20120810.GetItem' -d '{"Key": "é"}'`,
			`POST / {"Key": "é"}`},
		{"s3", "AWS_ENDPOINT_URL", `lambda_aws s3 /bucket/a/b.txt`, "GET /bucket/a/b.txt "},
		{"s3", "AWS_ENDPOINT_URL_S3", `printf 'some bytes' | lambda_aws s3 /bucket/a/b.txt -X PUT --data-binary @-`, "PUT /bucket/a/b.txt some bytes"},
		{"secretsmanager", "AWS_ENDPOINT_URL", `lambda_aws secretsmanager '/?Action=Get&Version=1'`, "GET /?Action=Get&Version=1 "},
	} {
		t.Setenv(test.endpoint, signatures(t, test.service))
		if stdout, stderr, status := run(t, test.script); stdout != test.want || stderr != "" || status != 0 {
			t.Errorf("%s:\n%q, %q, status %d\nwant %q", test.script, stdout, stderr, status, test.want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL", signatures(t, "sts"))
	stdout, _, status := run(t, `AWS_SECRET_ACCESS_KEY=another lambda_aws sts /`)
	if status != 22 || !strings.Contains(stdout, "signature") {
		t.Errorf("a wrong secret: %q, status %d", stdout, status)
	}
}

// With SnapStart there are no keys in the environment.
func TestAWSContainerCredentials(t *testing.T) {
	need.Tool(t, "curl")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "secret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":%q,"Expiration":"2030-01-01T00:00:00Z"}`, temporary.AccessKeyID, temporary.SecretAccessKey, temporary.SessionToken)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL+"/credentials")
	t.Setenv("AWS_ENDPOINT_URL", signatures(t, "sts"))
	const ask = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN; set -eu; lambda_aws sts /"
	if stdout, stderr, status := run(t, "AWS_CONTAINER_AUTHORIZATION_TOKEN=secret; "+ask); stdout != "GET / " || stderr != "" || status != 0 {
		t.Errorf("%q, %q, status %d", stdout, stderr, status)
	}
	if stdout, stderr, status := run(t, ask); stdout != "" || !strings.Contains(stderr, "403") || status != 1 {
		t.Errorf("without a token: %q, %q, status %d", stdout, stderr, status)
	}
}

func TestAWSMistakes(t *testing.T) {
	old := curl(t, "echo 'curl 7.81.0 (x86_64-pc-linux-gnu) libcurl/7.81.0'")
	const keys = "export AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b; "
	for script, want := range map[string]string{
		`lambda_aws`:         "lambda_aws: want a service and a path",
		`lambda_aws 'x;y' /`: "lambda_aws: want a service and a path",
		`unset AWS_ACCESS_KEY_ID; lambda_aws s3 /`:           "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_REGION is missing",
		keys + `AWS_SESSION_TOKEN=$'x\"\ny' lambda_aws s3 /`: "is missing or malformed",
		keys + "PATH=" + old + `; lambda_aws s3 /`:           "which signs requests; found: curl 7.81.0 \n",
		keys + `PATH=/nowhere; lambda_aws s3 /`:              "found: none\n",
	} {
		if stdout, stderr, status := run(t, script); stdout != "" || status != 1 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %q, %q, status %d; want %q", script, stdout, stderr, status, want)
		}
	}
}

// Every process can read the arguments of a program.
func TestAWSArgumentsHoldNoSecret(t *testing.T) {
	seen := curl(t, `[ "$1" = --version ] && echo 'curl 8.5.0 (x)' || { printf '%s\n' "$@"; cat /proc/self/fd/9; }`)
	stdout, stderr, status := run(t, "export AWS_REGION=cn-north-1 AWS_ACCESS_KEY_ID=AKI AWS_SECRET_ACCESS_KEY=hush AWS_SESSION_TOKEN=hash; PATH="+seen+":$PATH; lambda_aws s3 /b -I")
	arguments, config, _ := strings.Cut(stdout, "user = ")
	if want := "https://s3.cn-north-1.amazonaws.com.cn/b\n"; !strings.HasSuffix(arguments, want) || strings.Contains(arguments, "hush") || strings.Contains(arguments, "hash") {
		t.Errorf("called with %q, want no secret and %q at the end", arguments, want)
	}
	if want := "\"AKI:hush\"\nheader = \"x-amz-security-token: hash\"\n"; config != want || status != 0 || stderr != "" {
		t.Errorf("config %q, want %q; %q, status %d", config, want, stderr, status)
	}
}

// curl writes a script with the name curl to a new folder.
func curl(t *testing.T, script string) (dir string) {
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
