package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/bench/account"
)

// DeployedFunctions maps the logical IDs of a stack's functions to the names that CloudFormation gave them.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html.
func DeployedFunctions(ctx context.Context, stack string) (map[string]string, error) {
	cfg, err := account.InRegion(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding the functions of stack %s: %w", stack, notThere(ctx, cfg, stack, err))
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::Lambda::Function" {
				names[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
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
		return fmt.Errorf("%s: %s (region %s)", answer.ErrorCode(), answer.ErrorMessage(), cfg.Region)
	}
	of := ""
	if who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
		of = " of account " + aws.ToString(who.Account)
	}
	return fmt.Errorf("no stack %s in %s%s: set AWS_REGION or AWS_PROFILE, or deploy it with make deploy", stack, cfg.Region, of)
}
