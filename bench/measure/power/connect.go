package power

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/twinstart/twinstart/bench/measure"
)

// Connector gives clients of other regions and, by assuming roles, of other accounts: each once. It is Tuner.Connect.
func Connector(cfg aws.Config) func(ctx context.Context, region, role string) (API, error) {
	var mu sync.Mutex
	clients := map[[2]string]API{}
	return func(_ context.Context, region, role string) (API, error) {
		mu.Lock()
		defer mu.Unlock()
		k := [2]string{region, role}
		if clients[k] == nil {
			there := cfg.Copy()
			if region != "" {
				there.Region = region
			}
			if role != "" {
				there.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(there), role, func(o *stscreds.AssumeRoleOptions) {
					o.RoleSessionName = "twinstart-tune"
				}))
			}
			clients[k] = measure.NewClient(there)
		}
		return clients[k], nil
	}
}
