package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/handlers/geo"
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/language"
)

// languagesName is the experiment that crosses the functions of handlers/geo with languages.
const languagesName = "languages"

// buildLanguage builds a function; tests replace it.
var buildLanguage = language.Language.Build

// newLanguagesStack defines a function for each function of handlers/geo, language, memory and kind of package. A
// function that cannot be built here is left out, as in newStack.
func newLanguagesStack(ctx context.Context, scope constructs.Construct, s settings) (awscdk.Stack, error) {
	stack, e, options, err := s.begin(scope, "the same functions in several languages")
	if err != nil {
		return nil, err
	}
	var table awsdynamodb.Table
	absent := []arm.NotMeasured{}
	for _, f := range s.Functions {
		if f.Actions != nil && table == nil {
			if table, err = geoTable(stack); err != nil {
				return nil, err
			}
		}
		project := language.Function{Project: filepath.Join(handlersDir, "geo"), Name: f.Name, Bare: f.Actions == nil}
		for _, l := range s.Languages {
			dir, err := buildLanguage(l, ctx, project, s.Architecture)
			unavailable := (*packages.UnavailableError)(nil)
			if err != nil && !errors.As(err, &unavailable) {
				return nil, err
			}
			for _, kind := range s.Kinds {
				if unavailable != nil {
					why := unavailable.Why + "; " + unavailable.Remedy
					absent = append(absent, arm.NotMeasured{Arm: arm.ID(l.Name+"-"+f.Name, kind), Why: why})
					continue
				}
				props := &experiment.PairProps{
					Only: kind, Code: &dir, Event: f.Event, Name: l.Name + "-" + f.Name,
					Handler: jsii.String(l.Handler(f.Name)), Runtime: awslambda.NewRuntime(&l.Runtime, "", nil),
					Levels: experiment.Levels{"bootstrap": l.Name, "handler": f.Name}, FunctionOptions: options,
				}
				for _, memory := range s.MemorySizes {
					props.MemorySize = jsii.Number(memory)
					props.Description = jsii.String(fmt.Sprintf("%s/%s at %d MB, %s: %s; %s",
						props.Name, kind, memory, s.Architecture, l.Doc, f.Doc))
					zip, image, err := e.Pair(fmt.Sprintf("%s-%s-%d", props.Name, kind, memory), props)
					if err != nil {
						return nil, err
					}
					function := cmp.Or(zip, image) // only one is there
					grant(table, function, f.Actions)
					s.explain(function)
					if l.Older != "" && kind == arm.ZIP {
						cdk.Suppress(function, "AwsSolutions-L1", l.Older)
					}
				}
			}
		}
	}
	return stack, finish(stack, e, absent)
}

// completeLanguages sets the defaults of the experiment, and refuses what it cannot have.
func (s *settings) completeLanguages() error {
	if s.Experiment != languagesName {
		if s.Functions != nil || s.Languages != nil && !s.has(arm.Code) || s.Kinds != nil {
			return fmt.Errorf("-c functions, -c languages and -c package are for -c experiment=%s: add that, or leave them out",
				languagesName)
		}
		return nil
	}
	switch {
	case s.Provisioned != nil || s.URL:
		return errors.New("-c experiment=languages measures functions by Invoke: leave -c provisioned and -c url out")
	case s.VPC != "":
		return errors.New("-c experiment=languages and -c vpc: isolated subnets have no way to DynamoDB: leave -c vpc out")
	case s.Arms != nil || s.Packages != nil || s.Handler != "" || s.Runtime != "":
		return errors.New("-c experiment=languages: its arms are functions and languages: " +
			"use -c functions and -c languages in place of arms, packages, handler and runtime")
	}
	if s.Functions == nil {
		s.Functions, _ = geoFunctions([]string{"wave", "search"}) // they exist
	}
	if s.Kinds == nil {
		s.Kinds = []arm.Package{arm.ZIP}
	}
	if s.Languages == nil {
		s.Languages = slices.DeleteFunc(language.All(), func(l language.Language) bool { return l.Variant })
	}
	return nil
}

// geoTable defines the table of handlers/geo. DynamoDB imports the first items when it makes the table.
func geoTable(stack awscdk.Stack) (awsdynamodb.Table, error) {
	dir, err := archive.Cache(languagesName)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "items.csv")
	if err := errors.Join(os.MkdirAll(dir, 0o755), archive.ReplaceFile(file, 0o644, geo.CSV())); err != nil {
		return nil, fmt.Errorf("writing the table's items: %w", err)
	}
	items := awss3assets.NewAsset(stack, jsii.String("Items"), &awss3assets.AssetProps{Path: &file})
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
	}
	csv := awsdynamodb.InputFormat_Csv(&awsdynamodb.CsvOptions{})
	table := awsdynamodb.NewTable(stack, jsii.String("Table"), &awsdynamodb.TableProps{
		TableName: jsii.String("geo"), PartitionKey: key("pk"), SortKey: key("sk"),
		BillingMode: awsdynamodb.BillingMode_PAY_PER_REQUEST, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		ImportSource: &awsdynamodb.ImportSourceSpecification{
			Bucket: items.Bucket(), KeyPrefix: items.S3ObjectKey(), InputFormat: csv,
		},
	})
	table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName: jsii.String("geo-index"), PartitionKey: key("gpk"), SortKey: key("gsk"),
	})
	cdk.Suppress(table, "AwsSolutions-DDB3", "The items are made up, and the next deployment imports them again.")
	return table, nil
}

// grant allows a function its calls: queries on the index, all others on the table.
func grant(table awsdynamodb.Table, function awslambda.Function, actions []string) {
	for _, action := range actions {
		arn := *table.TableArn()
		if action == "Query" {
			arn += "/index/geo-index"
		}
		function.AddToRolePolicy(cdk.Allow([]*string{&arn}, "dynamodb:"+action))
	}
}
