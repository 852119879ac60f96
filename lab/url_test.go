package lab_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestFunctionURL(t *testing.T) {
	t.Parallel()
	ctx, name := t.Context(), aws.String("F")
	l := newLab(t, function(t, "F", nil))
	c := client(t, l)
	made, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone})
	must(t, err)
	call := func(method, path, body string, header ...string) (int, http.Header, string) {
		r, err := http.NewRequestWithContext(ctx, method, *made.FunctionUrl+path, strings.NewReader(body))
		must(t, err)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		must(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		return response.StatusCode, response.Header, string(text)
	}
	status, _, text := call("POST", "a/b?x=1&x=2&y=", "hé", "Content-Type", "text/plain", "Cookie", "c=1; d=2", "X-Own", "v") // the function answers with its event
	var event struct {
		Version, RawPath, RawQueryString, Body string
		IsBase64Encoded                        bool
		Cookies                                []string
		Headers, QueryStringParameters         map[string]string
		RequestContext                         struct {
			HTTP struct{ Method, Path, SourceIP string }
		}
	}
	must(t, json.Unmarshal([]byte(text), &event))
	if status != 200 || event.Version != "2.0" || event.RawPath != "/a/b" || event.RawQueryString != "x=1&x=2&y=" || event.Body != "hé" || event.IsBase64Encoded ||
		len(event.Cookies) != 2 || event.Headers["x-own"] != "v" || event.QueryStringParameters["x"] != "1,2" || event.RequestContext.HTTP.Method != "POST" ||
		event.RequestContext.HTTP.SourceIP != "127.0.0.1" {
		t.Errorf("the event of a POST: status %d: %s", status, text)
	}
	if _, _, text := call("POST", "", "\xff", "Content-Type", "application/octet-stream"); !strings.Contains(text, `"body":"`+base64.StdEncoding.EncodeToString([]byte("\xff"))+`"`) {
		t.Errorf("binary: %s", text)
	}
	if _, _, text := call("GET", "a//b/../c", ""); !strings.Contains(text, `"rawPath":"/a//b/../c"`) {
		t.Errorf("a path with // and ..: %s", text)
	}
	_, err = c.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeAwsIam})
	must(t, err)
	if status, _, text := call("GET", "", ""); status != 403 {
		t.Errorf("unsigned: %d %s", status, text)
	}
	if status, _, _ := call("GET", "", "", "Authorization", "Bearer x"); status != 403 {
		t.Errorf("with a bearer token: %d", status)
	}
	signed, err := http.NewRequestWithContext(ctx, "GET", *made.FunctionUrl, nil)
	must(t, err)
	must(t, v4.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, signed, fmt.Sprintf("%x", sha256.Sum256(nil)), "lambda", "us-east-1", time.Now()))
	if status, _, text := call("GET", "", "", "Authorization", signed.Header.Get("Authorization")); status != 200 {
		t.Errorf("signed: %d %s", status, text)
	}
	_, err = c.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: name})
	must(t, err)
	if _, err := c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: name}); code(err) != "ResourceNotFoundException" {
		t.Errorf("the configuration after its deletion: %v", err)
	}
	if status, _, _ := call("GET", "", ""); status != 403 {
		t.Errorf("the URL after its deletion: %d", status)
	}
}
