// Command save puts an item into the table.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"geo/geo"
)

func main() {
	client := geo.Table(context.Background())
	lambda.Start(func(ctx context.Context, e geo.Event) (geo.Answer, error) {
		r, ok := e.Read()
		lat, lon, is := r.Point()
		if !ok || !is || r.Owner == nil || r.Name == nil {
			return geo.Refused, nil
		}
		invocation, _ := lambdacontext.FromContext(ctx)
		pk, sk, gpk := "RT:"+*r.Owner, *r.Name+"#"+invocation.AwsRequestID, geo.Cells(lat, lon)[0]
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("geo"), Item: geo.Item{
			"pk": geo.Text(pk), "sk": geo.Text(sk), "gpk": geo.Text(gpk), "gsk": geo.Text(pk + ":" + sk),
			"owner": geo.Text(*r.Owner), "name": geo.Text(*r.Name), "lat": geo.Text(*r.Lat), "lon": geo.Text(*r.Lon),
		}})
		if err != nil {
			return geo.Answer{}, err
		}
		return geo.OK(struct {
			PK  string `json:"pk"`
			SK  string `json:"sk"`
			GPK string `json:"gpk"`
		}{pk, sk, gpk})
	})
}
