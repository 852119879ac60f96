package account

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// With an MFA profile, InRegion asks for one code on the terminal and sends it to STS. If another part of the program
// calls InRegion again, it gets the same credentials without a second code.
func TestMFA(t *testing.T) {
	var codes []string
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		codes = append(codes, r.Form.Get("TokenCode"))
		fmt.Fprint(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
			<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
			<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	defer sts.Close()
	dir := t.TempDir()
	shared := filepath.Join(dir, "config")
	if err := os.WriteFile(shared, []byte("[profile base]\naws_access_key_id = AKIA\naws_secret_access_key = s\n"+
		"[profile work]\nregion = eu-west-1\nsource_profile = base\nrole_arn = arn:aws:iam::111122223333:role/dev\n"+
		"mfa_serial = arn:aws:iam::111122223333:mfa/me\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": shared, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL": sts.URL,
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "",
	} {
		t.Setenv(name, value)
	}
	terminal, keyboard, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func(stdin *os.File) { os.Stdin = stdin }(os.Stdin)
	os.Stdin = terminal
	if _, err := io.WriteString(keyboard, "123456\n"); err != nil {
		t.Fatal(err)
	}
	keyboard.Close()
	for range 2 {
		cfg, err := InRegion(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil || got.AccessKeyID != "ASIA" || cfg.Region != "eu-west-1" {
			t.Errorf("credentials %q in %s: %v", got.AccessKeyID, cfg.Region, err)
		}
	}
	if len(codes) != 1 || codes[0] != "123456" {
		t.Errorf("STS received the codes %q, want 123456 once", codes)
	}
}

func TestNoCode(t *testing.T) {
	for _, typed := range []string{"", "\n", "   \n"} {
		var prompt strings.Builder
		if code, err := askForCode(strings.NewReader(typed), &prompt)(); err == nil || code != "" || !strings.Contains(err.Error(), "log in first") {
			t.Errorf("%q: code %q, %v", typed, code, err)
		}
	}
}

func TestNoRegion(t *testing.T) {
	for name, value := range map[string]string{"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": ""} {
		t.Setenv(name, value)
	}
	if _, err := InRegion(t.Context(), ""); err == nil || !strings.HasPrefix(err.Error(), "no AWS region: set AWS_REGION, or a region in your AWS_PROFILE") {
		t.Errorf("want an error that says how to set the region: %v", err)
	}
}

// net/http must not let a body write itself: if the response arrives early, it would close the connection.
func TestBodiesDoNotWriteThemselves(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	defer server.Close()
	client := HTTPClient{awshttp.NewBuildableClient()}
	for _, text := range []string{"{}", ""} {
		r, err := http.NewRequest(http.MethodPost, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text != "" {
			r.Body, r.ContentLength = &selfWriter{Reader: strings.NewReader(text), t: t}, int64(len(text))
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(response.Body); string(got) != text || err != nil {
			t.Errorf("the answer is %q, %v, want %q", got, err, text)
		}
		response.Body.Close()
	}
}

type selfWriter struct {
	*strings.Reader
	t *testing.T
}

func (b *selfWriter) WriteTo(w io.Writer) (int64, error) {
	b.t.Error("the body was asked to write itself")
	return b.Reader.WriteTo(w)
}

func (b *selfWriter) Close() error { return nil }

// Without AWS_CA_BUNDLE the SDK's configuration has no HTTP client, so InRegion sets one.
func TestCallsWithoutABundleOfCertificates(t *testing.T) {
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer answers.Close()
	for name, value := range map[string]string{"AWS_CA_BUNDLE": "", "AWS_ENDPOINT_URL": answers.URL, "AWS_REGION": "eu-west-1", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/dev/null",
		"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"} {
		t.Setenv(name, value)
	}
	cfg, err := InRegion(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Account != "111122223333" {
		t.Errorf("want the caller's account: %+v, %v", who, err)
	}
}
