package power

import (
	"cmp"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/measure"
)

// API is what tuning needs of Lambda. *lambda.Client is one.
type API interface {
	measure.API
	PublishVersion(context.Context, *lambda.PublishVersionInput, ...func(*lambda.Options)) (*lambda.PublishVersionOutput, error)
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput, ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error)
	DeleteFunction(context.Context, *lambda.DeleteFunctionInput, ...func(*lambda.Options)) (*lambda.DeleteFunctionOutput, error)
	CreateAlias(context.Context, *lambda.CreateAliasInput, ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
	DeleteAlias(context.Context, *lambda.DeleteAliasInput, ...func(*lambda.Options)) (*lambda.DeleteAliasOutput, error)
	ListAliases(context.Context, *lambda.ListAliasesInput, ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error)
}

// Fetch reads an object of S3, "s3://bucket/key".
type Fetch func(ctx context.Context, uri string) ([]byte, error)

// ErrorName is what a state machine's Retry and Catch can match on: InputError, FunctionBusy, FunctionChanged, NothingMeasured, the code of
// an error of AWS's such as AccessDeniedException, or TuningFailed.
func ErrorName(err error) string {
	var input *InputError
	var busy *Busy
	switch {
	case errors.As(err, &input):
		return "InputError"
	case errors.As(err, &busy):
		return "FunctionBusy"
	case errors.Is(err, measure.ErrForeign):
		return "FunctionChanged"
	case errors.Is(err, ErrNothingMeasured):
		return "NothingMeasured"
	}
	return cmp.Or(measure.Code(err), "TuningFailed")
}
