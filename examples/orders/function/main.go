// Command function adds up an order.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type order struct {
	Items []struct{ Price, Quantity int }
}

type answer struct {
	Stage string `json:"stage"`
	Total int    `json:"total"`
}

func main() {
	lambda.Start(func(_ context.Context, o order) (answer, error) {
		a := answer{Stage: os.Getenv("STAGE")}
		for _, item := range o.Items {
			a.Total += item.Price * item.Quantity
		}
		return a, nil
	})
}
