//go:build deploy

package deploytest

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"
)

// reader asks a service for a resource, and returns the properties that the service knows, named as in a template.
type reader func(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any

// readers has a reader for every type that the stack may contain. A new type fails the test until it has a reader.
var readers = map[string]reader{
	"AWS::CloudWatch::Alarm":           readAlarm,
	"AWS::CloudWatch::Dashboard":       readDashboard,
	"AWS::Events::Rule":                readRule,
	"AWS::IAM::ManagedPolicy":          readManagedPolicy,
	"AWS::IAM::Policy":                 readPolicy,
	"AWS::IAM::Role":                   readRole,
	"AWS::Lambda::Alias":               readAlias,
	"AWS::Lambda::Function":            readFunction,
	"AWS::Lambda::Permission":          readPermission,
	"AWS::Lambda::Url":                 readURL,
	"AWS::Lambda::Version":             readVersion,
	"AWS::Logs::LogGroup":              readLogGroup,
	"AWS::Logs::MetricFilter":          readMetricFilter,
	"AWS::StepFunctions::StateMachine": readStateMachine,
}

// takenOnTrust are types that options add. For them the test only checks that CloudFormation lists them.
var takenOnTrust = []string{"AWS::EC2::", "AWS::KMS::", "AWS::SQS::"}

// dropped are properties that MiniStack 1.5.33 accepts and forgets.
var dropped = map[string][]string{
	"AWS::Logs::MetricFilter":          {"ApplyOnTransformedLogs"},
	"AWS::Lambda::Function":            {"DeadLetterConfig", "KmsKeyArn", "ReservedConcurrentExecutions", "VpcConfig"},
	"AWS::StepFunctions::StateMachine": {"TracingConfiguration"},
}

// compare compares each resource of the template with the deployed one, which it reads from the service.
func (d deployed) compare(t *testing.T, cfg aws.Config, assets map[string]string) {
	t.Helper()
	for id, r := range d.template.Resources {
		if d.physical[id] == "" {
			t.Errorf("%s is not in the stack", id)
			continue
		}
		if slices.ContainsFunc(takenOnTrust, func(service string) bool { return strings.HasPrefix(r.Type, service) }) {
			continue
		}
		read := readers[r.Type]
		if read == nil {
			t.Errorf("%s: %s cannot be compared: add a reader for it", id, r.Type)
			continue
		}
		want := d.resolve(r.Properties).(map[string]any)
		delete(want, "Tags")
		for _, name := range dropped[r.Type] {
			delete(want, name)
		}
		if r.Type == "AWS::Lambda::Function" {
			want["Code"] = wantCode(t, want["Code"].(map[string]any), assets)
		}
		got := read(t, cfg, d.physical[id], want)
		if diff := cmp.Diff(any(want), asked(got, want)); diff != "" {
			t.Errorf("%s %s (-template +deployed):\n%s", r.Type, id, diff)
		}
	}
}

// asked returns the part of got that want mentions. If a template does not set a property, the service decides.
func asked(got, want any) any {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return got
		}
		part := map[string]any{}
		for name := range want {
			if value, has := got[name]; has {
				part[name] = asked(value, want[name])
			}
		}
		return part
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return got
		}
		part := make([]any, len(got))
		for i := range got {
			part[i] = asked(got[i], want[i])
		}
		return part
	}
	return got
}

// wantCode returns the digest of the asset for a ZIP file, or the URI for an image.
func wantCode(t *testing.T, code map[string]any, assets map[string]string) any {
	t.Helper()
	key, zip := code["S3Key"].(string)
	if !zip {
		return code["ImageUri"]
	}
	hash := strings.TrimSuffix(key, ".zip")
	path := assets[hash]
	if must(os.Stat(path))(t).IsDir() {
		path = zipped(t, path, filepath.Join(filepath.Dir(path), ".cache", key))
	}
	digest := sha256.Sum256(must(os.ReadFile(path))(t))
	return base64.StdEncoding.EncodeToString(digest[:])
}

// zipped returns the archive that the CDK CLI made of a folder. It contains the folder's files and nothing else.
func zipped(t *testing.T, folder, archive string) string {
	t.Helper()
	files := must(zip.OpenReader(archive))(t)
	defer files.Close()
	if want := must(os.ReadDir(folder))(t); len(files.File) != len(want) {
		t.Errorf("%s has %d files, %s has %d", archive, len(files.File), folder, len(want))
	}
	for _, f := range files.File {
		packed := must(f.Open())(t)
		if !bytes.Equal(must(io.ReadAll(packed))(t), must(os.ReadFile(filepath.Join(folder, f.Name)))(t)) {
			t.Errorf("%s in %s differs from the file in %s", f.Name, archive, folder)
		}
		packed.Close()
	}
	return archive
}

func readFunction(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	got := must(lambda.NewFromConfig(cfg).GetFunction(context.Background(), &lambda.GetFunctionInput{FunctionName: &physical}))(t)
	c := got.Configuration
	properties := plain(t, c)
	properties["Code"] = any(aws.ToString(c.CodeSha256))
	if want["PackageType"] == "Image" {
		properties["Code"] = aws.ToString(got.Code.ImageUri)
		properties["ImageConfig"] = nil
		if c.ImageConfigResponse != nil {
			properties["ImageConfig"] = plain(t, c.ImageConfigResponse.ImageConfig)
		}
	}
	return properties
}

func readAlias(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	at := strings.LastIndexByte(physical, ':')
	function, name := physical[:at], physical[at+1:]
	client := lambda.NewFromConfig(cfg)
	got := plain(t, must(client.GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: &function, Name: &name}))(t))
	got["FunctionName"] = function[strings.LastIndexByte(function, ':')+1:]
	if want["ProvisionedConcurrencyConfig"] != nil {
		c := must(client.GetProvisionedConcurrencyConfig(context.Background(), &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &name}))(t)
		got["ProvisionedConcurrencyConfig"] = map[string]any{"ProvisionedConcurrentExecutions": float64(aws.ToInt32(c.RequestedProvisionedConcurrentExecutions))}
	}
	return got
}

func readVersion(t *testing.T, cfg aws.Config, physical string, _ map[string]any) map[string]any {
	t.Helper()
	got := must(lambda.NewFromConfig(cfg).GetFunctionConfiguration(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: &physical}))(t)
	return map[string]any{"FunctionName": aws.ToString(got.FunctionName)}
}

func readURL(t *testing.T, cfg aws.Config, _ string, want map[string]any) map[string]any {
	t.Helper()
	function := want["TargetFunctionArn"].(string)
	input := &lambda.GetFunctionUrlConfigInput{FunctionName: &function}
	if qualifier, ok := want["Qualifier"].(string); ok {
		input.Qualifier = &qualifier
	}
	got := must(lambda.NewFromConfig(cfg).GetFunctionUrlConfig(context.Background(), input))(t)
	return map[string]any{"AuthType": string(got.AuthType), "TargetFunctionArn": strings.TrimSuffix(aws.ToString(got.FunctionArn), ":"+aws.ToString(input.Qualifier)),
		"Qualifier": aws.ToString(input.Qualifier)}
}

func readPolicy(t *testing.T, cfg aws.Config, _ string, want map[string]any) map[string]any {
	t.Helper()
	name, role := want["PolicyName"].(string), want["Roles"].([]any)[0].(string)
	got := must(iam.NewFromConfig(cfg).GetRolePolicy(context.Background(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name}))(t)
	return map[string]any{"PolicyName": name, "Roles": []any{aws.ToString(got.RoleName)}, "PolicyDocument": document(t, got.PolicyDocument)}
}

func readRole(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	ctx, client := context.Background(), iam.NewFromConfig(cfg)
	role := must(client.GetRole(ctx, &iam.GetRoleInput{RoleName: &physical}))(t)
	properties := map[string]any{"AssumeRolePolicyDocument": document(t, role.Role.AssumeRolePolicyDocument)}
	policies := []any{}
	inline, _ := want["Policies"].([]any)
	names := must(client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &physical}))(t)
	for _, name := range names.PolicyNames {
		if !slices.ContainsFunc(inline, func(p any) bool { return p.(map[string]any)["PolicyName"] == name }) {
			continue // an AWS::IAM::Policy is another resource
		}
		policy := must(client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &physical, PolicyName: &name}))(t)
		policies = append(policies, map[string]any{"PolicyName": name, "PolicyDocument": document(t, policy.PolicyDocument)})
	}
	properties["Policies"] = policies
	return properties
}

// document decodes a policy as IAM returns it.
func document(t *testing.T, encoded *string) any {
	t.Helper()
	var decoded any
	text := must(url.QueryUnescape(aws.ToString(encoded)))(t)
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func readLogGroup(t *testing.T, cfg aws.Config, physical string, _ map[string]any) map[string]any {
	t.Helper()
	got := must(cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(context.Background(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &physical}))(t)
	for _, g := range got.LogGroups {
		if aws.ToString(g.LogGroupName) == physical {
			return plain(t, g)
		}
	}
	t.Errorf("there is no log group %s", physical)
	return map[string]any{}
}

func readMetricFilter(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	group := want["LogGroupName"].(string)
	got := must(cloudwatchlogs.NewFromConfig(cfg).DescribeMetricFilters(context.Background(), &cloudwatchlogs.DescribeMetricFiltersInput{
		LogGroupName: &group, FilterNamePrefix: &physical}))(t)
	if len(got.MetricFilters) != 1 {
		t.Errorf("%d metric filters %s, want 1", len(got.MetricFilters), physical)
		return map[string]any{}
	}
	properties := plain(t, got.MetricFilters[0])
	for _, transformation := range properties["MetricTransformations"].([]any) {
		transformation := transformation.(map[string]any)
		if dimensions, ok := transformation["Dimensions"].(map[string]any); ok {
			list := []any{}
			for _, name := range []string{"arm", "package", "bootstrap"} { // in the order of the template
				if value, has := dimensions[name]; has {
					list = append(list, map[string]any{"Key": name, "Value": value})
				}
			}
			transformation["Dimensions"] = list
		}
	}
	return properties
}

func readAlarm(t *testing.T, cfg aws.Config, physical string, _ map[string]any) map[string]any {
	t.Helper()
	got := must(cloudwatch.NewFromConfig(cfg).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{physical}}))(t)
	if len(got.MetricAlarms) != 1 {
		t.Errorf("%d alarms %s, want 1", len(got.MetricAlarms), physical)
		return map[string]any{}
	}
	return plain(t, got.MetricAlarms[0])
}

func readDashboard(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	got := must(cloudwatch.NewFromConfig(cfg).GetDashboard(context.Background(), &cloudwatch.GetDashboardInput{DashboardName: &physical}))(t)
	var body, wanted any
	if err := json.Unmarshal([]byte(aws.ToString(got.DashboardBody)), &body); err != nil {
		t.Errorf("dashboard %s: %v", physical, err)
	}
	if err := json.Unmarshal([]byte(want["DashboardBody"].(string)), &wanted); err != nil {
		t.Errorf("the template's dashboard is not JSON: %v", err)
	}
	want["DashboardBody"] = wanted
	return map[string]any{"DashboardBody": body, "DashboardName": aws.ToString(got.DashboardName)}
}

// plain turns an answer of the SDK into maps, lists and numbers as in a template. Missing values are null.
func plain(t *testing.T, value any) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(must(json.Marshal(value))(t), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
