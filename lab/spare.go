package lab

import (
	"os"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/life"
)

// spare is process 1 of a future environment, in its control group. Without spares, most of a cold start's time would
// go to starting that process and moving it to its group. While arms are measured there are no spares, because one
// would be made during an INIT.
type spare struct {
	life  *life.Environment
	group *cgroup.Group
}

func (l *Lab) newSpare() (s spare, err error) {
	if s.group, err = l.groups.Acquire(); err != nil {
		return s, err
	}
	if s.life, err = life.Start(l.unprivileged, l.ownNetwork, s.group.Own()); err != nil {
		s.group.Release()
	}
	return s, err
}

// disk returns a device for an environment's /tmp, so that files there do not count as memory. It returns nil if there
// are no loop devices, and while arms are measured, because a device changes INIT.
func (l *Lab) disk(roomMB int) (device *os.File, err error) {
	if !l.store.Loop || l.options.Measured {
		return nil, nil
	}
	l.diskMu.Lock() // many environments may need the first disk at once
	d := l.disks[roomMB]
	if d == nil {
		if d, err = coldfs.NewDisk(l.mnt, roomMB); err == nil { // if not, the next environment tries again
			l.disks[roomMB] = d
		}
	}
	l.diskMu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.Attach(l.mnt)
}

// maxSpares is the most spares. With two, one is ready while the other starts; a start is mostly waiting.
const maxSpares = 2

// take returns a spare, or makes one if there is none, and refills the spares in the background.
func (l *Lab) take() (spare, error) {
	if !l.options.Measured {
		for range maxSpares {
			defer func() { go l.refill() }()
		}
	}
	select {
	case s := <-l.spares:
		return s, nil
	default:
		return l.newSpare()
	}
}

// refill makes a spare, if one is missing.
func (l *Lab) refill() {
	defer l.coming.Add(-1)
	if l.coming.Add(1)+int32(len(l.spares)) > maxSpares || !l.enter() {
		return
	}
	defer l.environments.Done()
	if s, err := l.newSpare(); err == nil { // if not, the next take makes one itself and reports the error
		l.spares <- s
	}
}

func (s spare) close() {
	s.life.Close()
	s.group.Release()
}

// reap ends environments that have been idle for Options.Idle, until the lab is closed.
func (l *Lab) reap() {
	tick := time.NewTicker(max(l.options.Idle/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, f := range l.all() {
				f.each(func(v *function) { v.reap(now.Add(-l.options.Idle)) })
			}
		case <-l.end:
			return
		}
	}
}

// reap ends environments that have been idle since before the given time. It ends provisioned environments only if
// there are more than requested.
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
