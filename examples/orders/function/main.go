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

func main() {
	lambda.Start(func(_ context.Context, o order) (map[string]any, error) {
		total := 0
		for _, item := range o.Items {
			total += item.Price * item.Quantity
		}
		return map[string]any{"stage": os.Getenv("STAGE"), "total": total}, nil
	})
}
