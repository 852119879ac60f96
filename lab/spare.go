package lab

import (
	"os"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/life"
)

// spare is process 1 of a future environment, in its control group: most of what a cold start takes is to start it and
// to move it there. While arms are measured there are none, because the next one would start beside an INIT.
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
		return spare{}, err
	}
	return s, nil
}

// disk is a device for an environment's /tmp, so that files there do not count as memory; nil without root, and while
// arms are measured, whose INIT would be another.
func (l *Lab) disk(roomMB int) (device *os.File, err error) {
	if !l.store.Loop || l.options.Measured {
		return nil, nil
	}
	l.diskMu.Lock() // many environments may need the first disk at once
	d := l.disks[roomMB]
	if d == nil {
		if d, err = coldfs.NewDisk(l.mnt, roomMB); err == nil { // else the next environment tries again: there may be room by then
			l.disks[roomMB] = d
		}
	}
	l.diskMu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.Attach(l.mnt)
}

// maxSpares is the most spares: while one starts, which mostly is waiting, another is taken.
const maxSpares = 2

// take takes a spare, or a new one, and has others made.
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
	if s, err := l.newSpare(); err == nil { // else who needs one is told
		l.spares <- s
	}
}

func (s spare) close() {
	s.life.Close()
	s.group.Release()
}

// reap ends environments that were not used for a long time, until the lab is closed.
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
