package lab_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tablesVariable makes the test binary call callTables and end.
const tablesVariable = "LAB_TEST_TABLES"

// callTables calls the lab's DynamoDB with the unmodified Go SDK, from inside a function. Its error says what is wrong.
func callTables(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	c, table := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }), aws.String("places")
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	var writes []types.WriteRequest
	for _, sk := range []string{"a", "b", "c"} {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"pk": text("go"), "sk": text(sk), "gpk": text("r652"), "gsk": text("RT:go:" + sk), "n": &types.AttributeValueMemberN{Value: "1.5"}}}})
	}
	if _, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: writes}}); err != nil {
		return err
	}
	got := ""
	found, err := c.Query(ctx, &dynamodb.QueryInput{TableName: table, IndexName: aws.String("geo-index"),
		KeyConditionExpression: aws.String("gpk = :g AND begins_with(gsk, :r)"), ExpressionAttributeValues: map[string]types.AttributeValue{":g": text("r652"), ":r": text("RT:go:")}})
	if err != nil {
		return err
	}
	for _, item := range found.Items {
		got += item["sk"].(*types.AttributeValueMemberS).Value + item["n"].(*types.AttributeValueMemberN).Value
	}
	if got != "a1.5b1.5c1.5" {
		return fmt.Errorf("the query returned %s", got)
	}
	var absent *types.ResourceNotFoundException
	if _, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("elsewhere"), Key: map[string]types.AttributeValue{"pk": text("a")}}); !errors.As(err, &absent) {
		return fmt.Errorf("a table that is not there: %v", err) //nolint:errorlint // may be nil
	}
	return nil
}
