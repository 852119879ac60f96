// Command hello is a hello world on aws-lambda-go.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type response struct {
	StatusCode int `json:"statusCode"`
}

func main() {
	lambda.Start(func(context.Context) (response, error) { return response{200}, nil })
}
