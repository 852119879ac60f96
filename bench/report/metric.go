package report

import "github.com/twinstart/twinstart/bench/report/stat"

// Metric is a figure by which two reports are compared, arm by arm.
type Metric struct {
	Name string // its name in expressions
	Unit string
	Doc  string
	// Exact marks a property of the package: each arm has one value, the same in every run.
	Exact bool
	of    func(*measured) *stat.Sample
	// counted marks what lab runs count once for a package, in starts made for counting.
	counted bool
}

// Metrics lists the metrics in the order of tables.
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
		{Name: "warm", Unit: "ms", Doc: "warm Duration, the median of an environment counting as one value",
			of: tested(ClockWarm)},
		{Name: "memory", Unit: "MB", Doc: "Max Memory Used of cold starts",
			of: cold(func(c *coldSample) float64 { return c.memory })},
		{Name: "initReadKiB", Unit: "KiB", Doc: "KiB of the package read before the first GET /next (lab)",
			of: cold(func(c *coldSample) float64 { return c.readKiB }), counted: true},
		{Name: "package", Unit: "KiB", Doc: "size of the deployment package", Exact: true, of: packageKiB},
	}
}

func packageKiB(m *measured) *stat.Sample {
	if m.group.sizeBytes == 0 {
		return stat.NewSample(nil)
	}
	return stat.NewSample([]float64{float64(m.group.sizeBytes) / 1024})
}

// Measure returns the arm's independent values of a metric, in order of measuring.
func (a *Arm) Measure(metric Metric) *stat.Sample { return metric.of(a.of) }

// Counted is a value that was counted once for a package, in starts made for counting.
type Counted struct {
	Value         float64
	StandardError float64
	By            string // the way of counting; values that were counted in different ways cannot be compared
}

// Counted returns the arm's counted value of a metric: the KiB of the package that are read before GET /next.
func (a *Arm) Counted(metric Metric) (c Counted, ok bool) {
	of := &a.of.group.counted
	if !metric.counted || of.InitPackageReadKiB == nil || of.PackageReadBy == "" {
		return c, false
	}
	return Counted{*of.InitPackageReadKiB, orZero(of.InitPackageReadErrorKiB), of.PackageReadBy}, true
}
