package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
	"github.com/twinstart/twinstart/tools/need"
)

// testAccount is a double of an AWS account with one stack of three functions, and the assembly that the stack was
// deployed from. It answers the API of Lambda, and the calls of a run to CloudFormation and STS.
type testAccount struct {
	*double.Lambda
	url         string
	assembly    string
	before      []api.Configuration
	provisioned string            // the function that has provisioned concurrency
	refused     func() *api.Error // the answer to every call; nil: the service answers
	set         sync.Mutex        // orders what a test has set before the calls of the command that it starts then
}

// shop is the name of the stack; the others are the names of its functions.
const shop, zipA, zipB, imageC = "Shop", "Shop-A", "Shop-B", "Shop-C"

func newTestAccount(t *testing.T) *testAccount {
	t.Helper()
	a := &testAccount{assembly: t.TempDir()}
	write := func(name string, content any) {
		text, err := json.Marshal(content)
		if s, is := content.(string); is {
			text = []byte(s)
		}
		path := filepath.Join(a.assembly, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	type m = map[string]any
	resources := m{}
	var functions []api.Configuration
	for _, name := range []string{zipA, zipB, imageC} {
		id, arm, kind := name[len("Shop-"):], map[string]string{zipA: "a/zip", zipB: "b/zip", imageC: "c/image"}[name], "zip"
		code := "code of " + name
		write("asset."+id+".zip", code)
		write("asset."+id+"/Dockerfile", "FROM scratch\nCOPY bootstrap /bootstrap\n")
		write("asset."+id+"/bootstrap", code)
		digest := sha256.Sum256([]byte(code))
		c := double.Configuration(name, 512)
		c.CodeSHA256, c.LastModified = base64.StdEncoding.EncodeToString(digest[:]), deployedAt.Add(-time.Second)
		c.Environment = map[string]string{"KEEP": "me", "SECRET": "s3cret-" + id}
		properties := m{"Architectures": []string{"arm64"}, "MemorySize": 512, "Code": m{"S3Bucket": "b", "S3Key": id + ".zip"}, "Runtime": "provided.al2023", "Handler": "handler.run"}
		if name == imageC {
			kind = "image"
			c.PackageType, c.Runtime, c.Handler, c.CodeSize = "Image", "", "", 0
			c.Code = m{"ImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/r:" + id, "ResolvedImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/r@sha256:00"}
			properties = m{"Architectures": []string{"arm64"}, "MemorySize": 512, "Code": m{"ImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/r:" + id}, "PackageType": "Image"}
		} else {
			c.Extra = m{"RuntimeVersionConfig": m{"RuntimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:1"}}
		}
		functions = append(functions, c)
		resources[id] = m{"Type": "AWS::Lambda::Function", "Properties": properties,
			"Metadata": m{"twinstart": m{"experiment": "shop", "arm": arm, "bootstrap": id, "package": kind, "architecture": "arm64", "memorySizeMB": 512, "handler": "echo"}}}
	}
	write("Shop.template.json", m{"Resources": resources})
	write("Shop.assets.json", m{
		"files":        m{"A": m{"source": m{"path": "asset.A.zip"}, "destinations": m{"d": m{"objectKey": "A.zip"}}}, "B": m{"source": m{"path": "asset.B.zip"}, "destinations": m{"d": m{"objectKey": "B.zip"}}}},
		"dockerImages": m{"C": m{"source": m{"directory": "asset.C"}, "destinations": m{"d": m{"imageTag": "C"}}}}})
	write("manifest.json", m{"version": "54.0.0", "artifacts": m{shop: m{"type": "aws:cloudformation:stack", "properties": m{"templateFile": "Shop.template.json"}}}})

	a.Lambda = double.New(functions...)
	a.Run = func(r double.Run) double.Answer {
		answer := double.Answer{DurationMs: 0.5 + float64(r.N%5)/10, UsedMB: 60}
		if r.Cold {
			answer.InitMs = 1 + float64(r.N%7)/10
		}
		if r.Restored {
			answer.InitMs, answer.RestoreMs = 0, 20+answer.InitMs
		}
		time.Sleep(time.Duration((answer.InitMs + answer.RestoreMs + answer.DurationMs) * float64(time.Millisecond)))
		return answer
	}
	functionAPI := a.Next
	a.refused = func() *api.Error { return nil }
	a.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		refused := a.refused()
		switch {
		case refused != nil && r.Form.Has("Action"): // the older services answer in XML
			w.WriteHeader(refused.Status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", refused.Code, refused.Message)
		case refused != nil:
			api.Fail(w, refused)
		case r.Form.Get("Action") == "ListStackResources":
			fmt.Fprint(w, "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>")
			for _, name := range []string{zipA, zipB, imageC} {
				fmt.Fprintf(w, "<member><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceType>AWS::Lambda::Function</ResourceType>"+
					"<LastUpdatedTimestamp>%s</LastUpdatedTimestamp></member>", name[len("Shop-"):], name, deployedAt.Format(time.RFC3339))
			}
			fmt.Fprint(w, "</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>")
		case r.Form.Get("Action") == "GetCallerIdentity":
			fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
		case strings.HasSuffix(r.URL.Path, "/"+a.provisioned+"/provisioned-concurrency") && r.Form.Get("Qualifier") != "":
			fmt.Fprint(w, `{"RequestedProvisionedConcurrentExecutions": 1, "Status": "READY"}`)
		case strings.HasSuffix(r.URL.Path, "/provisioned-concurrency") && r.Form.Get("Qualifier") != "":
			api.Fail(w, &api.Error{Status: http.StatusNotFound, Code: "ProvisionedConcurrencyConfigNotFoundException", Message: "No Provisioned Concurrency Config found for this function"})
		case strings.HasSuffix(r.URL.Path, "/"+a.provisioned+"/provisioned-concurrency"):
			fmt.Fprint(w, `{"ProvisionedConcurrencyConfigs": [{"FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f:live", "RequestedProvisionedConcurrentExecutions": 1}]}`)
		case strings.HasSuffix(r.URL.Path, "/provisioned-concurrency"):
			fmt.Fprint(w, `{"ProvisionedConcurrencyConfigs": []}`)
		case strings.Contains(r.URL.Path, "/account-settings"):
			fmt.Fprint(w, `{"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}`)
		default:
			functionAPI.ServeHTTP(w, r)
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.set.Lock()
		a.set.Unlock() //nolint:staticcheck // it waits for run
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url, a.before = server.URL, a.List()
	return a
}

// deployedAt is when CloudFormation made the functions.
var deployedAt = time.Now().UTC().Add(-time.Hour).Truncate(time.Second)

// restored returns the difference between the functions before and after a run. It does not count what somebody else
// changed, nor what every update changes.
func (a *testAccount) restored(foreign func(*api.Configuration)) string {
	want := append([]api.Configuration(nil), a.before...)
	for i := range want {
		if foreign != nil {
			foreign(&want[i])
		}
	}
	for _, c := range want {
		if versions, err := a.Versions(c.Name); err != nil || len(versions) > 1 {
			return fmt.Sprintf("%s has %d versions, each of which costs (%v)", c.Name, len(versions)-1, err)
		}
	}
	return cmp.Diff(want, a.List(), cmpopts.IgnoreFields(api.Configuration{}, "RevisionID", "LastModified"))
}

// run runs the command as a separate process that uses this account in place of AWS. It calls started with the process.
func (a *testAccount) run(t *testing.T, started func(*os.Process), args ...string) (status int, output string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0], append(args, "--source", "aws", "--assembly", a.assembly)...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "AWS_ENDPOINT_URL="+a.url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PROFILE=", "AWS_EC2_METADATA_DISABLED=true", "HOME="+t.TempDir())
	cmd.Stdout, cmd.Stderr = nil, &out
	a.set.Lock()
	err := cmd.Start()
	a.set.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started(cmd.Process)
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), out.String()
}

// at calls do once, before the nth call of an operation on a function takes effect. "" means any function.
func (a *testAccount) at(operation, function string, nth int, do func()) {
	var mu sync.Mutex
	earlier := a.Before
	a.Before = func(c double.Call) {
		if earlier != nil {
			earlier(c)
		}
		if c.Operation != operation || function != "" && c.Function != function {
			return
		}
		mu.Lock()
		nth--
		now := nth == 0
		mu.Unlock()
		if now {
			do()
		}
	}
}

// TestPolicy runs with all actions that docs/run-policy.json allows, then without one of them at a time. The environment
// of one function is encrypted with a customer's key, which Lambda uses with its caller's rights:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html.
func TestPolicy(t *testing.T) {
	need.Time(t)
	needs := map[string][]string{publish: {"lambda:PublishVersion"}, remove: {"lambda:DeleteFunction"}, "ListVersionsByFunction": {"lambda:ListVersionsByFunction"}, look: {"lambda:GetFunction"}, update: {"lambda:UpdateFunctionConfiguration"}, invoke: {"lambda:InvokeFunction"}, "GetAccountSettings": {"lambda:GetAccountSettings"},
		"ListAliases": {"lambda:ListAliases"}, "ListProvisionedConcurrencyConfigs": {"lambda:ListProvisionedConcurrencyConfigs"}}
	for _, lacking := range append(policy(t), "") {
		t.Run(lacking, func(t *testing.T) {
			t.Parallel()
			a := newTestAccount(t)
			a.Change(zipA, func(c *api.Configuration) {
				if c.Extra = map[string]any{"KMSKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1"}; lacking == "kms:Decrypt" {
					maps.Copy(c.Extra, double.Unreadable())
				}
			})
			if strings.Contains(lacking, "Version") || lacking == "lambda:DeleteFunction" {
				withSnapStart()(a)
			}
			a.before = a.List()
			a.Decide = func(c double.Call) *double.Fault {
				actions := needs[c.Operation]
				if c.Function == zipA && c.Operation == update {
					actions = append(slices.Clone(actions), "kms:Encrypt", "kms:CreateGrant")
				}
				if !slices.Contains(actions, lacking) {
					return nil
				}
				return &double.Fault{Error: double.Denied(lacking)}
			}
			if lacking == "cloudformation:ListStackResources" { // the first call
				a.refused = func() *api.Error { return double.Denied(lacking) }
			}
			out, args := t.TempDir(), []string(nil)
			if strings.HasPrefix(lacking, "lambda:List") && !strings.Contains(lacking, "Version") {
				args = []string{"--function", zipA, "--force-cold"}
			}
			status, output := a.run(t, nil, measuring(out, args...)...)
			switch lacking {
			case "", "lambda:GetAccountSettings", "lambda:GetLayerVersion", "lambda:PutProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig",
				"lambda:DeleteProvisionedConcurrencyConfig": // without GetAccountSettings fewer functions run at a time; the others are for levers, which these arms lack
				if status != exitOK {
					t.Errorf("status %d: %s", status, output)
				}
			default:
				if status == exitOK || !strings.Contains(output, lacking) {
					t.Errorf("status %d, want the right that is lacking: %s", status, output)
				}
			}
			var foreign func(*api.Configuration)
			if c, _ := a.Function(imageC); c.SnapStart {
				foreign = snapStart
			}
			diff := a.restored(foreign)
			if lacking == "lambda:DeleteFunction" { // the run names what it cannot delete
				if diff == "" || !strings.Contains(output, "Shop-C keeps a version that the run published, which is billed") {
					t.Errorf("%s: %s", diff, output)
				}
				return
			}
			if diff != "" {
				t.Errorf("functions are not as they were: %s", diff)
			}
		})
	}
}
