//go:build deploy

package deploytest

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/twinstart/twinstart/bench/measure/power"
)

// TestPayloadOfS3 reads a tuning's payloadS3 from MiniStack's S3.
func TestPayloadOfS3(t *testing.T) {
	t.Parallel()
	cfg := openAccount(t, "100000000004").config(t)
	ctx := context.Background()
	store := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	must(store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("payloads")}))(t)
	const weighted = `[{"payload": {"a": 1}, "weight": 3}, {"payload": {"b": "\u00e9"}, "weight": 1}]`
	must(store.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("payloads"), Key: aws.String("of/two.json"), Body: strings.NewReader(weighted)}))(t)
	fetch := power.FromS3(cfg)
	if got := must(fetch(ctx, "s3://payloads/of/two.json"))(t); string(got) != weighted {
		t.Errorf("want the payload as it was stored: %s", got)
	}
	for _, absent := range []string{"s3://payloads/absent.json", "s3://absent/of/two.json"} {
		if got, err := fetch(ctx, absent); err == nil || !strings.Contains(err.Error(), absent) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %s, %v", absent, got, err)
		}
	}
}
