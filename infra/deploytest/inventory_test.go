//go:build deploy

package deploytest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// inventory is what an account holds, by kind: the names, sorted.
type inventory map[string][]string

// takeInventory asks the services themselves, not CloudFormation.
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
	for _, name := range dashboardNames(t, cfg) {
		found.add("dashboards", &name)
	}
	stacks := must(cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{}))(t)
	for _, s := range stacks.Stacks {
		if s.StackStatus != types.StackStatusDeleteComplete {
			found.add("stacks", s.StackName)
		}
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}

func (i inventory) add(kind string, name *string) { i[kind] = append(i[kind], aws.ToString(name)) }

// must is for calls whose failure ends the test.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// dashboardNames speaks the JSON protocol: MiniStack's answer in CBOR, which the SDK asks for, has times that are none.
func dashboardNames(t *testing.T, cfg aws.Config) []string {
	t.Helper()
	request := must(http.NewRequest(http.MethodPost, aws.ToString(cfg.BaseEndpoint), strings.NewReader("{}")))(t)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.ListDashboards")
	answer := must(http.DefaultClient.Do(request))(t)
	defer answer.Body.Close()
	var list struct {
		DashboardEntries []struct{ DashboardName string }
	}
	body := must(io.ReadAll(answer.Body))(t)
	if err := json.Unmarshal(body, &list); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("listing dashboards: status %d, %v: %s", answer.StatusCode, err, body)
	}
	var names []string
	for _, d := range list.DashboardEntries {
		names = append(names, d.DashboardName)
	}
	return names
}
