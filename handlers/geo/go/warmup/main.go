// Command warmup makes one call.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"geo/geo"
)

func main() {
	client := geo.Table(context.Background())
	lambda.Start(func(ctx context.Context) (geo.Answer, error) {
		if err := geo.Touch(ctx, client); err != nil {
			return geo.Answer{}, err
		}
		return geo.OK(map[string]bool{"warm": true})
	})
}
