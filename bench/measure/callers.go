package measure

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Unfit says why no cold start of a deployed function may be forced: nil if one may.
func Unfit(ctx context.Context, client *lambda.Client, function string) error {
	provisioned, err := client.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &function, MaxItems: aws.Int32(1)})
	if err != nil {
		return fmt.Errorf("looking for provisioned concurrency of %s: %w", function, Brief(err))
	}
	if len(provisioned.ProvisionedConcurrencyConfigs) > 0 {
		return fmt.Errorf("%s has provisioned concurrency: its callers meet few cold starts, and forced ones would say nothing of those: see what they meet with twinstart logs", function)
	}
	aliases := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &function})
	for aliases.HasMorePages() {
		page, err := aliases.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the aliases of %s: %w", function, Brief(err))
		}
		for _, a := range page.Aliases {
			if aws.ToString(a.FunctionVersion) == "$LATEST" {
				return fmt.Errorf("%s: alias %s points at $LATEST, which a run changes: its callers would meet each forced cold start; point it at a version, or measure a copy of the function",
					function, aws.ToString(a.Name))
			}
		}
	}
	return nil
}

// Elsewhere explains that a function cannot be read: mostly it is another region's or another account's.
func Elsewhere(ctx context.Context, cfg aws.Config, function string, err error) error {
	if code := Code(err); code != "ResourceNotFoundException" && !strings.HasPrefix(code, "AccessDenied") {
		return err
	}
	who, unknown := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if unknown != nil {
		return err
	}
	account := aws.ToString(who.Account)
	if parts := strings.Split(function, ":"); len(parts) > 4 && parts[4] != account {
		return fmt.Errorf("%s is of account %s, and the credentials are of %s: set AWS_PROFILE", function, parts[4], account)
	}
	if Code(err) != "ResourceNotFoundException" {
		return err
	}
	return fmt.Errorf("there is no function %s in %s of account %s: set AWS_REGION or AWS_PROFILE, or correct the name", function, cfg.Region, account)
}
