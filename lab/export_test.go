package lab

import "time"

// SetInitLimit shortens the 10 s that INIT may take.
func (l *Lab) SetInitLimit(d time.Duration) { l.initLimit = d }
