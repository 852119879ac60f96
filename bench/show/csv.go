package show

import (
	"io"
	"strconv"

	"github.com/twinstart/twinstart/bench/report"
)

// asCSV writes a row an arm, unrounded; an empty cell is what was not measured or has too few samples. Names are those of the JSON form, nested
// ones joined.
func asCSV(w io.Writer, r *report.Report, _ Options) error {
	columns := csvColumns()
	t := armTable("", "", r, columns)
	for _, n := range r.NotMeasured {
		row := make([]string, len(columns))
		row[0], row[len(row)-1] = n.Arm, n.Why
		t.Add(row...)
	}
	return t.CSV(w)
}

func csvColumns() []column {
	columns := []column{
		{"arm", func(a *report.Arm) string { return a.Arm }},
		{"source", func(a *report.Arm) string { return string(a.Source) }},
		{"region", func(a *report.Arm) string { return a.Region }},
		{"bootstrap", func(a *report.Arm) string { return a.Bootstrap }},
		{"package", func(a *report.Arm) string { return string(a.Package) }},
		{"architecture", func(a *report.Arm) string { return string(a.Architecture) }},
		{"memory_size_mb", func(a *report.Arm) string { return positive(int64(a.MemorySizeMB)) }},
		{"handler", func(a *report.Arm) string { return a.Handler }},
		{"package_size_bytes", func(a *report.Arm) string { return positive(a.PackageSizeBytes) }},
		{"init_count", func(a *report.Arm) string { return strconv.Itoa(a.InitCount) }},
		{"init_total_ms", func(a *report.Arm) string { return exact(a.InitTotal) }},
		{"init_average_ms", func(a *report.Arm) string { return exact(a.InitAverage) }},
		{"init_sd_ms", func(a *report.Arm) string { return exact(a.InitStdDev) }},
	}
	columns = append(columns, spread("", func(a *report.Arm) *report.Spread { return &a.Spread })...)
	columns = append(columns,
		column{"init_read_kib", func(a *report.Arm) string { return exact(a.InitReadKiB) }},
		column{"init_read_chunks", func(a *report.Arm) string { return exact(a.InitReadChunks) }},
		column{"first_response_read_kib", func(a *report.Arm) string { return exact(a.FirstResponseReadKiB) }},
		column{"init_base_read_kib", func(a *report.Arm) string { return exact(a.InitBaseReadKiB) }},
		column{"init_libc_read_kib", func(a *report.Arm) string { return exact(a.InitLibcReadKiB) }},
		column{"init_cpu_ms", func(a *report.Arm) string { return exact(a.InitCPUMs) }},
		column{"init_warm_cpu_ms", func(a *report.Arm) string { return exact(a.InitWarmCPUMs) }},
		column{"init_page_faults", func(a *report.Arm) string { return exact(a.InitPageFaults) }},
		column{"init_major_page_faults", func(a *report.Arm) string { return exact(a.InitMajorPageFaults) }},
		column{"predicted_on_aws_init_ms", prediction(func(p *report.Predicted) *float64 { return &p.Init })},
		column{"predicted_on_aws_init_ms_lo", prediction(func(p *report.Predicted) *float64 { return &p.Interval[0] })},
		column{"predicted_on_aws_init_ms_hi", prediction(func(p *report.Predicted) *float64 { return &p.Interval[1] })},
	)
	for _, d := range []struct {
		name string
		of   func(*report.Arm) *report.Distribution
	}{
		{"cold_total_", func(a *report.Arm) *report.Distribution { return &a.ColdTotal }},
		{"caller_wait_", func(a *report.Arm) *report.Distribution { return &a.CallerWait }},
		{"warm_", func(a *report.Arm) *report.Distribution { return &a.Warm }},
		{"warm_caller_wait_", func(a *report.Arm) *report.Distribution { return &a.WarmWait }},
	} {
		columns = append(columns,
			column{d.name + "count", func(a *report.Arm) string { return strconv.Itoa(d.of(a).Count) }},
			column{d.name + "average_ms", func(a *report.Arm) string { return exact(d.of(a).Average) }},
		)
		columns = append(columns, spread(d.name, func(a *report.Arm) *report.Spread { return &d.of(a).Spread })...)
	}
	return append(columns,
		column{"warm_environments", func(a *report.Arm) string { return strconv.Itoa(a.Environments) }},
		column{"residual_p50_ms", func(a *report.Arm) string { return exact(a.ResidualMedian) }},
		column{"max_memory_used_mb", func(a *report.Arm) string {
			if a.MaxMemoryUsedMB == nil {
				return ""
			}
			return strconv.Itoa(*a.MaxMemoryUsedMB)
		}},
		column{"cold_usd_per_million", func(a *report.Arm) string { return exact(a.ColdCost) }},
		column{"warm_usd_per_million", func(a *report.Arm) string { return exact(a.WarmCost) }},
		column{"function_errors", func(a *report.Arm) string { return strconv.Itoa(a.FunctionErrors) }},
		column{"not_measured", func(*report.Arm) string { return "" }},
	)
}

func prediction(of func(*report.Predicted) *float64) func(*report.Arm) string {
	return func(a *report.Arm) string {
		if a.PredictedAWS == nil {
			return ""
		}
		return exact(of(a.PredictedAWS))
	}
}

func spread(prefix string, of func(*report.Arm) *report.Spread) []column {
	var out []column
	for i, q := range new(report.Spread).Quantiles() {
		out = append(out, column{prefix + q.Name + "_ms", func(a *report.Arm) string { return exact(*of(a).Quantiles()[i].Value) }})
		for k, end := range []string{"_lo", "_hi"} {
			out = append(out, column{prefix + q.Name + "_ci95_ms" + end, func(a *report.Arm) string {
				if ci := *of(a).Quantiles()[i].CI; ci != nil {
					return exact(&ci[k])
				}
				return ""
			}})
		}
	}
	return append(out, column{prefix + "max_ms", func(a *report.Arm) string { return exact(of(a).Max) }})
}

func exact(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', -1, 64)
}

func positive(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
