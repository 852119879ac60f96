// Command client makes a client in INIT, and no call.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"geo/geo"
)

func main() {
	geo.Client(context.Background())
	lambda.Start(func() (geo.Answer, error) { return geo.OK(map[string]bool{"warm": true}) })
}
