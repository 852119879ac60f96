package lab

import "time"

// SetInitLimit shortens the 10 s that INIT may take.
func (l *Lab) SetInitLimit(d time.Duration) { l.initLimit = d }

// SetSnapLimits shortens the 130 s that INIT before a snapshot may take, and the 10 s of a restore.
func (l *Lab) SetSnapLimits(init, restore time.Duration) { l.snapLimit, l.restoreLimit = init, restore }
