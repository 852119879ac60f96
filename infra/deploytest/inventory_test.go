//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// inventory lists the names in an account by kind, sorted.
type inventory map[string][]string

// takeInventory asks the services, not CloudFormation.
func takeInventory(t *testing.T, cfg aws.Config) inventory {
	t.Helper()
	ctx := context.Background()
	found := inventory{}
	functions := lambda.NewListFunctionsPaginator(lambda.NewFromConfig(cfg), &lambda.ListFunctionsInput{})
	for functions.HasMorePages() {
		page := must(functions.NextPage(ctx))(t)
		for _, f := range page.Functions {
			found.add("functions", f.FunctionName)
		}
	}
	roles := iam.NewListRolesPaginator(iam.NewFromConfig(cfg), &iam.ListRolesInput{})
	for roles.HasMorePages() {
		page := must(roles.NextPage(ctx))(t)
		for _, r := range page.Roles {
			found.add("roles", r.RoleName)
		}
	}
	logs := cloudwatchlogs.NewFromConfig(cfg)
	groups := cloudwatchlogs.NewDescribeLogGroupsPaginator(logs, &cloudwatchlogs.DescribeLogGroupsInput{})
	for groups.HasMorePages() {
		page := must(groups.NextPage(ctx))(t)
		for _, g := range page.LogGroups {
			found.add("log groups", g.LogGroupName)
		}
	}
	filters := must(logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{}))(t)
	for _, f := range filters.MetricFilters {
		found.add("metric filters", f.FilterName)
	}
	watch := cloudwatch.NewFromConfig(cfg)
	alarms := must(watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{}))(t)
	for _, a := range alarms.MetricAlarms {
		found.add("alarms", a.AlarmName)
	}
	for _, a := range alarms.CompositeAlarms {
		found.add("alarms", a.AlarmName)
	}
	// The SDK asks for CBOR, and MiniStack's CBOR has times that are not valid. So this call does not use the SDK.
	var boards struct {
		DashboardEntries []struct{ DashboardName string }
	}
	post(t, cfg, "GraniteServiceVersion20100801.ListDashboards", map[string]any{}, &boards)
	for _, d := range boards.DashboardEntries {
		found.add("dashboards", &d.DashboardName)
	}
	machines := must(sfn.NewFromConfig(cfg).ListStateMachines(ctx, &sfn.ListStateMachinesInput{}))(t)
	for _, m := range machines.StateMachines {
		found.add("state machines", m.Name)
	}
	var rules struct{ Rules []struct{ Name string } }
	post(t, cfg, "AWSEvents.ListRules", map[string]any{}, &rules)
	for _, r := range rules.Rules {
		found.add("rules", &r.Name)
	}
	policies := must(iam.NewFromConfig(cfg).ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal}))(t)
	for _, p := range policies.Policies {
		found.add("managed policies", p.PolicyName)
	}
	stacks := must(cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{}))(t)
	account := must(cfg.Credentials.Retrieve(ctx))(t).AccessKeyID // see openAccount
	for _, s := range stacks.Stacks {
		// MiniStack also lists a stack that another account is making at that moment.
		if strings.Contains(aws.ToString(s.StackId), ":"+account+":") && s.StackStatus != types.StackStatusDeleteComplete {
			found.add("stacks", s.StackName)
		}
	}
	return found
}

// add keeps names sorted.
func (i inventory) add(kind string, name *string) {
	i[kind] = append(i[kind], aws.ToString(name))
	slices.Sort(i[kind])
}

// withoutStack returns the inventory without a stack that was rolled back.
func (i inventory) withoutStack(name string) inventory {
	i["stacks"] = slices.DeleteFunc(i["stacks"], func(s string) bool { return s == name })
	return i
}

// must ends the test if a call fails.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// post speaks AWS's JSON protocol, for calls that cannot use the SDK.
func post(t *testing.T, cfg aws.Config, target string, input, output any) {
	t.Helper()
	request := must(http.NewRequest(http.MethodPost, aws.ToString(cfg.BaseEndpoint), bytes.NewReader(must(json.Marshal(input))(t))))(t)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", target)
	credential := must(cfg.Credentials.Retrieve(request.Context()))(t)
	nothing := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(request.Context(), credential, request, hex.EncodeToString(nothing[:]), "monitoring", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	answer := must(http.DefaultClient.Do(request))(t)
	defer answer.Body.Close()
	body := must(io.ReadAll(answer.Body))(t)
	if err := json.Unmarshal(body, output); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %s", target, answer.StatusCode, err, body)
	}
}
