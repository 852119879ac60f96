package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/bench/account"
)

// Resource is a function of a stack.
type Resource struct {
	Name string
	At   time.Time // when CloudFormation made or changed it
}

// DeployedFunctions maps the logical IDs of a stack's functions to what CloudFormation made of them.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html.
func DeployedFunctions(ctx context.Context, stack string) (map[string]Resource, error) {
	cfg, err := account.InRegion(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]Resource{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding the functions of stack %s: %w", stack, notThere(ctx, cfg, stack, err))
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::Lambda::Function" {
				names[aws.ToString(r.LogicalResourceId)] = Resource{aws.ToString(r.PhysicalResourceId), aws.ToTime(r.LastUpdatedTimestamp)}
			}
		}
	}
	return names, nil
}

// notThere says where a stack was looked for if it does not exist there, which mostly means another region or account.
func notThere(ctx context.Context, cfg aws.Config, stack string, err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return err
	}
	if answer.ErrorCode() != "ValidationError" || !strings.Contains(answer.ErrorMessage(), "does not exist") {
		return fmt.Errorf("%w (region %s)", Brief(err), cfg.Region)
	}
	of := ""
	if who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
		of = " of account " + aws.ToString(who.Account)
	}
	return fmt.Errorf("no stack %s in %s%s: set AWS_REGION or AWS_PROFILE, or deploy it with make deploy", stack, cfg.Region, of)
}
