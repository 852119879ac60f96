// Command search-concurrent finds items round a point by nine queries at once.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"geo/geo"
)

func main() {
	client := geo.Table(context.Background())
	lambda.Start(func(ctx context.Context, e geo.Event) (geo.Answer, error) { return geo.Search(ctx, client, e, true) })
}
