package report

// Counted is a value that was counted once for a package, at starts of its own, instead of at each measured one.
type Counted struct {
	Value         float64
	StandardError float64
	By            string // how; values that were counted in different ways do not compare
}

// Counted is an arm's value of a metric where it was counted so.
func (r *Report) Counted(label string, metric Metric) (c Counted, ok bool) {
	if m := r.find(label); m != nil && metric.counted != nil {
		return metric.counted(m.group)
	}
	return c, false
}

// packageRead is KiB of the package that are read before GET /next.
func packageRead(g *group) (c Counted, ok bool) {
	if g.packageKiB == nil || g.packageBy == "" {
		return c, false
	}
	return Counted{*g.packageKiB, g.packageError, g.packageBy}, true
}
