package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// lambdaPerfRow is a function of lambda-perf's daily data. Names were shortened in 2023; older files have the long ones, and measured
// ZIP on x86-64 only. See https://github.com/maxday/lambda-perf/tree/main/data.
type lambdaPerfRow struct {
	Display string    `json:"d"`
	Package string    `json:"p"`
	Arch    string    `json:"a"`
	Memory  int       `json:"m"`
	Inits   []float64 `json:"i"` // Init Duration of each cold start, ms

	LongDisplay string    `json:"displayName"`
	LongMemory  int       `json:"memorySize"`
	LongInits   []float64 `json:"initDurations"`
}

func lambdaPerf(data []byte, name string, o Options, yield func(*record.Record, error) bool) {
	var whole struct {
		Metadata struct {
			GeneratedAt string `json:"generatedAt"`
		} `json:"metadata"`
		RuntimeData []json.RawMessage `json:"runtimeData"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		yield(nil, malformed(name, data, 0, err))
		return
	}
	day := whole.Metadata.GeneratedAt
	if len(day) > 10 {
		day = day[:10]
	}
	label := cmp.Or(o.Published, "lambda-perf "+day)
	for i, raw := range whole.RuntimeData {
		fail := func(format string, args ...any) bool {
			return yield(nil, bad(name, 1, "runtimeData[%d]: %s", i, fmt.Sprintf(format, args...)))
		}
		var row lambdaPerfRow
		if err := json.Unmarshal(raw, &row); err != nil {
			if !fail("%v", err) {
				return
			}
			continue
		}
		bootstrap, kind := cmp.Or(row.Display, row.LongDisplay), arm.Package(cmp.Or(row.Package, string(arm.ZIP)))
		architecture, err := arm.ParseArchitecture(cmp.Or(row.Arch, string(arm.X8664)))
		inits := slices.Concat(row.Inits, row.LongInits)
		if err != nil || bootstrap == "" || len(inits) == 0 {
			if !fail("want a name, an architecture and Init Durations") {
				return
			}
			continue
		}
		id := arm.ID(bootstrap, kind)
		if ok, _ := path.Match(o.Arm, id); o.Arm != "" && !ok {
			continue
		}
		for _, init := range inits {
			rec := o.record()
			rec.Published, rec.Start = label, record.Cold
			rec.Arm, rec.Bootstrap, rec.Package, rec.Architecture = id, bootstrap, kind, architecture
			rec.MemorySizeMB = max(row.Memory, row.LongMemory)
			rec.InitDurationMs = &init
			if err := rec.Validate(); err != nil {
				if !fail("%v", err) {
					return
				}
				continue
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}
