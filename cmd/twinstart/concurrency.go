package main

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// leftUnreserved is how many concurrent executions Lambda keeps for functions without a reservation. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html.
const leftUnreserved = 100

// enough checks whether the account can reserve the wanted concurrency. CloudFormation would fail only after minutes.
func enough(ctx context.Context, cfg aws.Config, wanted int, out io.Writer) error {
	if wanted == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	text := fmt.Sprintf("concurrency: these functions reserve or provision %d", wanted)
	s := settings(ctx, lambda.NewFromConfig(cfg))
	if s == nil {
		fmt.Fprintf(out, "--  %s; the account's limit cannot be read: allow lambda:GetAccountSettings\n", text)
		return nil
	}
	all, free := s.AccountLimit.ConcurrentExecutions, s.AccountLimit.UnreservedConcurrentExecutions
	switch {
	case wanted > int(all)-leftUnreserved:
		fmt.Fprintf(out, "!!  %s; the account has %d, of which %d must stay unreserved: lower -c reserved or "+
			"-c provisioned, or choose fewer arms\n", text, all, leftUnreserved)
		return errFinding
	case free != nil && wanted > int(*free)-leftUnreserved:
		fmt.Fprintf(out, "--  %s; the account has %d unreserved, of which %d must stay unreserved: that is enough only if "+
			"this stack is deployed already\n", text, *free, leftUnreserved)
	}
	return nil
}

// usualConcurrency is the quota of an account that is not new.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const usualConcurrency = 1000

// newAccount is used if the account's concurrency cannot be read: a new account's 10, less 2 for other functions.
const newAccount = 8

// concurrency returns how many invocations may run at once, less 2 for other functions.
func concurrency(ctx context.Context, client *lambda.Client) int {
	s := settings(ctx, client)
	if s == nil || s.AccountLimit.UnreservedConcurrentExecutions == nil {
		return newAccount
	}
	return max(1, int(*s.AccountLimit.UnreservedConcurrentExecutions)-2)
}

// settings returns an account's settings with its limits, or nil if they cannot be read.
func settings(ctx context.Context, client *lambda.Client) *lambda.GetAccountSettingsOutput {
	s, err := client.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || s.AccountLimit == nil {
		return nil
	}
	return s
}
