package lab

import (
	"slices"
	"time"
)

// reap ends, until the lab does, environments that nobody has used for long.
func (l *Lab) reap() {
	tick := time.NewTicker(max(l.options.Idle/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, f := range l.functions {
				f.reap(now.Add(-l.options.Idle))
				f.published.each(func(v *function) { v.reap(now.Add(-l.options.Idle)) })
			}
		case <-l.end:
			return
		}
	}
}

// reap ends the environments that have been idle since before.
func (f *function) reap(before time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = slices.DeleteFunc(f.idle, func(e *environment) bool {
		old := e.idleSince.Before(before)
		if old {
			e.close()
		}
		return old
	})
}
