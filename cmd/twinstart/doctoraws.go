package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
)

const (
	// anyRegion is used to check credentials when no region is configured: they are the same everywhere in a partition.
	anyRegion = "us-east-1"
	// bootstrapParameter is where `cdk bootstrap` leaves its version, by qualifier.
	// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
	bootstrapParameter = "/cdk-bootstrap/%s/version"
	// plainQualifier is the default qualifier of a bootstrap stack; qualifierKey is the key in cdk.json of another one.
	plainQualifier, qualifierKey = "hnb659fds", "@aws-cdk/core:bootstrapQualifier"
	// minBootstrap is the version that our template needs.
	minBootstrap = 6
	// fewEnvironments is the limit of a new account. A run and the account's other functions share them.
	fewEnvironments = 10
	// lowCodeSpace is the space, in bytes, below which doctor gives advice. An account may store 75 GB of code in a
	// region, or more on request.
	lowCodeSpace = 1 << 30
)

// accountFindings checks the AWS account of the environment. Credentials can be checked without a region; the other
// checks need both.
func accountFindings(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cfg, err := account.Config(ctx)
	if err != nil {
		return []finding{{needed, "AWS", oneLine(err.Error())}}
	}
	cfg.RetryMaxAttempts = 2
	found := []finding{{fine, "region", cfg.Region}}
	if cfg.Region == "" {
		found[0] = finding{needed, "region", "set AWS_REGION, or a region in your AWS_PROFILE (the lab needs none: --local)"}
		cfg.Region = anyRegion
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		detail := "none that work (%v): run aws sso login, or set AWS_PROFILE (the lab needs none: --local)"
		return append(found, finding{needed, "credentials", fmt.Sprintf(detail, measure.Brief(err))})
	}
	detail := "account " + aws.ToString(who.Account) + ", " + aws.ToString(who.Arn)
	found = append(found, finding{fine, "credentials", detail})
	if found[0].state != fine {
		return found
	}
	return append(found, bootstrapped(ctx, cfg, aws.ToString(who.Account)), quota(ctx, cfg))
}

// bootstrapped checks the version of the CDK's bootstrap stack in the account and region.
func bootstrapped(ctx context.Context, cfg aws.Config, accountID string) finding {
	remedy, which := fmt.Sprintf("run node_modules/.bin/cdk bootstrap aws://%s/%s", accountID, cfg.Region), qualifier()
	if which != plainQualifier {
		remedy += " --qualifier " + which
	}
	name := fmt.Sprintf(bootstrapParameter, which)
	answer, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if _, ok := errors.AsType[*types.ParameterNotFound](err); ok {
		return finding{needed, "bootstrap", "this account and region are not bootstrapped: " + remedy}
	} else if err != nil {
		// A user who may only assume the CDK's roles can deploy, but cannot read the parameter.
		detail := "not readable (%v); if cdk deploy says that it is missing, %s"
		return finding{without, "bootstrap", fmt.Sprintf(detail, measure.Brief(err), remedy)}
	}
	version := aws.ToString(answer.Parameter.Value)
	if n, err := strconv.Atoi(version); err != nil || n < minBootstrap {
		return finding{needed, "bootstrap", fmt.Sprintf("version %s, %d is needed: %s", version, minBootstrap, remedy)}
	}
	return finding{fine, "bootstrap", "version " + version}
}

// qualifier returns the qualifier of the bootstrap stack. A shared account may have several stacks.
func qualifier() string {
	var file struct{ Context map[string]any }
	text, _ := os.ReadFile("cdk.json")
	_ = json.Unmarshal(text, &file) // without a readable file the default holds
	own, _ := file.Context[qualifierKey].(string)
	return cmp.Or(own, plainQualifier)
}

// quota checks Lambda's limits in the account and region.
func quota(ctx context.Context, cfg aws.Config) finding {
	s := settings(ctx, lambda.NewFromConfig(cfg))
	if s == nil {
		return finding{without, "quota", "cannot be read: allow lambda:GetAccountSettings"}
	}
	concurrency := s.AccountLimit.ConcurrentExecutions
	free := s.AccountLimit.TotalCodeSize
	if s.AccountUsage != nil {
		free -= s.AccountUsage.TotalCodeSize
	}
	text := fmt.Sprintf("%d concurrent executions, %.1f GB left for ZIP files", concurrency, float64(free)/(1<<30))
	switch {
	case concurrency <= fewEnvironments:
		return finding{without, "quota", text + ": few for a run; ask Service Quotas for more (L-B99A9384)"}
	case free < lowCodeSpace:
		return finding{without, "quota", text + ": delete old versions of functions"}
	}
	return finding{fine, "quota", text}
}
