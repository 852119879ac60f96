package power

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
)

// patience is how long a call is tried again while Lambda throttles it, and maxTroubles how often while the service is in trouble.
const (
	patience    = 10 * time.Minute
	maxTroubles = 8
)

// troubles are what a call met before it was answered.
type troubles struct{ throttles, others int }

// again calls until it is answered, with longer and longer pauses: a throttled call never ran, one whose answer was lost costs one more invocation.
func again(ctx context.Context, pause time.Duration, call func() error) (n troubles, err error) {
	give := time.Now().Add(patience)
	for ; ; pause = min(2*pause, 10*time.Second) {
		err = call()
		switch {
		case ctx.Err() != nil || !measure.Transient(err):
			return n, err
		case measure.Throttle(err):
			n.throttles++
		default:
			if n.others++; n.others >= maxTroubles {
				return n, err
			}
		}
		if time.Now().After(give) {
			return n, err
		}
		if err := sleep(ctx, pause/2+rand.N(pause+1)); err != nil {
			return n, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error { return measure.Sleep(ctx, d) }
