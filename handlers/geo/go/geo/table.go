package geo

import (
	"context"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is an item of the table, whose attributes are all text.
type Item = map[string]types.AttributeValue

// Text is an attribute's value.
func Text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

// Client returns a client that has made no call.
func Client(ctx context.Context) *dynamodb.Client {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	return dynamodb.NewFromConfig(c, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
}

// Table returns a client that has made its first call: INIT has more CPU than invocations have.
func Table(ctx context.Context) *dynamodb.Client {
	client := Client(ctx)
	if err := Touch(ctx, client); err != nil {
		panic(err)
	}
	return client
}

// Touch reads an item that is not there.
func Touch(ctx context.Context, client *dynamodb.Client) error {
	key := Item{"pk": Text("nil"), "sk": Text("nil")}
	_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("geo"), Key: key})
	return err
}

type found struct {
	Name string `json:"name"`
	Lat  string `json:"lat"`
	Lon  string `json:"lon"`
}

// Search answers a search: nine queries, one after the other or at once.
func Search(ctx context.Context, client *dynamodb.Client, e Event, atOnce bool) (Answer, error) {
	r, ok := e.Read()
	lat, lon, ok1 := r.Point()
	radius, ok2 := number(r.Radius, 1e9)
	if !ok || !ok1 || !ok2 || r.Owner == nil {
		return Refused, nil
	}
	var pages [9][]Item
	var errs [9]error
	query := func(i int, cell string) {
		out, err := client.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String("geo"), IndexName: aws.String("geo-index"),
			KeyConditionExpression:    aws.String("gpk = :g and begins_with(gsk, :o)"),
			ExpressionAttributeValues: Item{":g": Text(cell), ":o": Text("RT:" + *r.Owner + ":")},
		})
		if errs[i] = err; err == nil {
			pages[i] = out.Items
		}
	}
	var all sync.WaitGroup
	for i, cell := range Cells(lat, lon) {
		if atOnce {
			all.Go(func() { query(i, cell) })
		} else {
			query(i, cell)
		}
	}
	all.Wait()
	items := []found{}
	for i, page := range pages {
		if errs[i] != nil {
			return Answer{}, errs[i]
		}
		for _, item := range page {
			f := found{text(item, "name"), text(item, "lat"), text(item, "lon")}
			y, _ := strconv.ParseFloat(f.Lat, 64)
			x, _ := strconv.ParseFloat(f.Lon, 64)
			if distance(lat, lon, y, x) <= radius {
				items = append(items, f)
			}
		}
	}
	return OK(struct {
		Count int     `json:"count"`
		Items []found `json:"items"`
	}{len(items), items})
}

func text(item Item, name string) string {
	s, ok := item[name].(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}
