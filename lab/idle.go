package lab

import (
	"slices"
	"time"
)

// reap ends environments that were not used for a long time, until the lab is closed.
func (l *Lab) reap() {
	tick := time.NewTicker(max(l.options.Idle/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, f := range l.all() {
				f.reap(now.Add(-l.options.Idle))
				f.published.each(func(v *function) { v.reap(now.Add(-l.options.Idle)) })
			}
		case <-l.end:
			return
		}
	}
}

// reap ends environments that have been idle since before the given time. Of provisioned environments it ends only
// those above the wanted number.
func (f *function) reap(before time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	surplus := f.ahead() - f.provisioned.Requested
	f.idle = slices.DeleteFunc(f.idle, func(e *environment) bool {
		end := e.idleSince.Before(before)
		if e.provisioned {
			end = surplus > 0
			surplus--
		}
		if end {
			e.close()
		}
		return end
	})
}
