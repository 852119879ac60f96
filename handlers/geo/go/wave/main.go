// Command wave reads a point and writes it again.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"geo/geo"
)

func handle(_ context.Context, e geo.Event) (geo.Answer, error) {
	r, ok := e.Read()
	if _, _, is := r.Point(); !ok || !is || r.Radius == nil {
		return geo.Refused, nil
	}
	return geo.OK(struct {
		Lat    *string `json:"lat"`
		Lon    *string `json:"lon"`
		Radius *string `json:"radius"`
	}{r.Lat, r.Lon, r.Radius})
}

func main() { lambda.Start(handle) }
