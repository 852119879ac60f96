package show

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/twinstart/twinstart/bench/report"
)

// field is one column of the CSV form; names are those of the JSON form, nested ones joined.
type field struct {
	name string
	cell func(*report.Arm) string
}

// asCSV writes a row an arm, unrounded; an empty cell is what was not measured or has too few samples.
func asCSV(w io.Writer, r *report.Report, _ Options) error {
	fields := csvFields()
	rows := make([][]string, 1, 1+len(r.Arms)+len(r.NotMeasured))
	for _, f := range fields {
		rows[0] = append(rows[0], f.name)
	}
	for i := range r.Arms {
		row := make([]string, 0, len(fields))
		for _, f := range fields {
			row = append(row, f.cell(&r.Arms[i]))
		}
		rows = append(rows, row)
	}
	for _, n := range r.NotMeasured {
		row := make([]string, len(fields))
		row[0], row[len(row)-1] = n.Arm, n.Why
		rows = append(rows, row)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func csvFields() []field {
	fields := []field{
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
	fields = append(fields, spread("", func(a *report.Arm) *report.Spread { return &a.Spread })...)
	fields = append(fields,
		field{"init_read_kib", func(a *report.Arm) string { return exact(a.InitReadKiB) }},
		field{"init_read_chunks", func(a *report.Arm) string { return exact(a.InitReadChunks) }},
		field{"first_response_read_kib", func(a *report.Arm) string { return exact(a.FirstResponseReadKiB) }},
		field{"init_base_read_kib", func(a *report.Arm) string { return exact(a.InitBaseReadKiB) }},
		field{"init_libc_read_kib", func(a *report.Arm) string { return exact(a.InitLibcReadKiB) }},
		field{"init_cpu_ms", func(a *report.Arm) string { return exact(a.InitCPUMs) }},
		field{"init_warm_cpu_ms", func(a *report.Arm) string { return exact(a.InitWarmCPUMs) }},
		field{"init_page_faults", func(a *report.Arm) string { return exact(a.InitPageFaults) }},
		field{"init_major_page_faults", func(a *report.Arm) string { return exact(a.InitMajorPageFaults) }},
		field{"predicted_on_aws_init_ms", prediction(func(p *report.Predicted) *float64 { return &p.Init })},
		field{"predicted_on_aws_init_ms_lo", prediction(func(p *report.Predicted) *float64 { return &p.Interval[0] })},
		field{"predicted_on_aws_init_ms_hi", prediction(func(p *report.Predicted) *float64 { return &p.Interval[1] })},
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
		fields = append(fields,
			field{d.name + "count", func(a *report.Arm) string { return strconv.Itoa(d.of(a).Count) }},
			field{d.name + "average_ms", func(a *report.Arm) string { return exact(d.of(a).Average) }},
		)
		fields = append(fields, spread(d.name, func(a *report.Arm) *report.Spread { return &d.of(a).Spread })...)
	}
	return append(fields,
		field{"warm_environments", func(a *report.Arm) string { return strconv.Itoa(a.Environments) }},
		field{"residual_p50_ms", func(a *report.Arm) string { return exact(a.ResidualMedian) }},
		field{"max_memory_used_mb", func(a *report.Arm) string {
			if a.MaxMemoryUsedMB == nil {
				return ""
			}
			return strconv.Itoa(*a.MaxMemoryUsedMB)
		}},
		field{"cold_usd_per_million", func(a *report.Arm) string { return exact(a.ColdCost) }},
		field{"warm_usd_per_million", func(a *report.Arm) string { return exact(a.WarmCost) }},
		field{"function_errors", func(a *report.Arm) string { return strconv.Itoa(a.FunctionErrors) }},
		field{"not_measured", func(*report.Arm) string { return "" }},
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

func spread(prefix string, of func(*report.Arm) *report.Spread) []field {
	var out []field
	for i, q := range new(report.Spread).Quantiles() {
		out = append(out, field{prefix + q.Name + "_ms", func(a *report.Arm) string { return exact(*of(a).Quantiles()[i].Value) }})
		for k, end := range []string{"_lo", "_hi"} {
			out = append(out, field{prefix + q.Name + "_ci95_ms" + end, func(a *report.Arm) string {
				if ci := *of(a).Quantiles()[i].CI; ci != nil {
					return exact(&ci[k])
				}
				return ""
			}})
		}
	}
	return append(out, field{prefix + "max_ms", func(a *report.Arm) string { return exact(of(a).Max) }})
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
