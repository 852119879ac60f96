//go:build deploy

package deploytest

import (
	"context"
	"slices"
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
	dashboards := must(watch.ListDashboards(ctx, &cloudwatch.ListDashboardsInput{}))(t)
	for _, d := range dashboards.DashboardEntries {
		found.add("dashboards", d.DashboardName)
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
