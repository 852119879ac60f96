package report

import "github.com/twinstart/twinstart/bench/report/stat"

// Metric is a figure by which two reports are compared arm by arm.
type Metric struct {
	Name string // as an expression names it
	Unit string
	Doc  string
	// Exact is a property of the package: one value an arm, the same whenever it is measured.
	Exact bool
	of    func(*measured) *stat.Sample
	// counted is its value where it was counted once for a package; nil is never.
	counted func(*group) (Counted, bool)
}

// Metrics lists them in the order of tables.
func Metrics() []Metric {
	tested := func(c Clock) func(*measured) *stat.Sample {
		return func(m *measured) *stat.Sample { return m.tests[c] }
	}
	cold := func(of func(*coldSample) float64) func(*measured) *stat.Sample {
		return func(m *measured) *stat.Sample { return stat.NewSample(column(m.group.cold, of)) }
	}
	return []Metric{
		{Name: "init", Unit: "ms", Doc: "Init Duration", of: tested(ClockInit)},
		{Name: "cold", Unit: "ms", Doc: "cold total: INIT + first Duration", of: tested(ClockTotal)},
		{Name: "wait", Unit: "ms", Doc: "the caller's wait for a cold start", of: tested(ClockWait)},
		{Name: "warm", Unit: "ms", Doc: "warm Duration, an environment's median counting as one value", of: tested(ClockWarm)},
		{Name: "memory", Unit: "MB", Doc: "Max Memory Used of cold starts", of: cold(func(c *coldSample) float64 { return c.memory })},
		{Name: "initReadKiB", Unit: "KiB", Doc: "KiB of the package read before the first GET /next (lab)", of: cold(func(c *coldSample) float64 { return c.readKiB }), counted: packageRead},
		{Name: "package", Unit: "KiB", Doc: "size of the deployment package", Exact: true, of: func(m *measured) *stat.Sample {
			if m.group.sizeBytes == 0 {
				return stat.NewSample(nil)
			}
			return stat.NewSample([]float64{float64(m.group.sizeBytes) / 1024})
		}},
	}
}

// Measure is an arm's values of a metric: those that are independent, in order of measuring. It has none where they were not measured.
func (r *Report) Measure(label string, metric Metric) *stat.Sample {
	if m := r.find(label); m != nil {
		return metric.of(m)
	}
	return stat.NewSample(nil)
}

// Counted is a value that was counted once for a package, at starts of its own, instead of at each measured one.
type Counted struct {
	Value         float64
	StandardError float64
	By            string // how; values that were counted in different ways do not compare
}

// Counted is an arm's value of a metric, and the way in which it was counted.
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
