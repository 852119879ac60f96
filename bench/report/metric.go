package report

import "github.com/twinstart/twinstart/bench/stat"

// Metric is a figure by which two reports are compared arm by arm.
type Metric struct {
	Name string // as an expression names it
	Unit string
	Doc  string
	// Exact is a property of the package: one value an arm, the same whenever it is measured.
	Exact bool
	of    func(*measured) *stat.Sample
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
		{"init", "ms", "Init Duration", false, tested(ClockInit)},
		{"cold", "ms", "cold total: INIT + first Duration", false, tested(ClockTotal)},
		{"wait", "ms", "the caller's wait for a cold start", false, tested(ClockWait)},
		{"warm", "ms", "warm Duration, an environment's median counting as one value", false, tested(ClockWarm)},
		{"memory", "MB", "Max Memory Used of cold starts", false, cold(func(c *coldSample) float64 { return c.memory })},
		{"initReadKiB", "KiB", "KiB of the package read before the first GET /next (lab)", false, cold(func(c *coldSample) float64 { return c.readKiB })},
		{"package", "KiB", "size of the deployment package", true, func(m *measured) *stat.Sample {
			if m.group.sizeBytes == 0 {
				return stat.NewSample(nil)
			}
			return stat.NewSample([]float64{float64(m.group.sizeBytes) / 1024})
		}},
	}
}

// Measure is an arm's values of a metric: those that are independent, in order of measuring. It has none where they were not measured.
func (r *Report) Measure(label string, metric Metric) *stat.Sample {
	for _, m := range r.all {
		if m.label == label {
			return metric.of(m)
		}
	}
	return stat.NewSample(nil)
}
