package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// powerTuning reads {"power", "cost", "duration", "stats": [{"value", "averageDuration", "averagePrice"}]}, the same below "results" as
// Power Tuning's documentation has it, or a description of an execution with that as text in "output". Averages are trimmed means
// of Duration + INIT, so they are summaries. Without stats there are the values of twinstart tune's byPowerValue, or the winner only.
func powerTuning(data []byte, name string, o Options, yield func(*record.Record, error) bool) {
	type value struct {
		Memory   float64  `json:"value"`
		Duration *float64 `json:"averageDuration"`
		Price    *float64 `json:"averagePrice"`
	}
	var out struct {
		Output       string          `json:"output"`
		Results      json.RawMessage `json:"results"`
		Source       string          `json:"source"` // of twinstart tune
		Power        any             `json:"power"`
		Cost         *float64        `json:"cost"`
		Duration     *float64        `json:"duration"`
		Stats        []value         `json:"stats"`
		ByPowerValue []value         `json:"byPowerValue"`
	}
	err := json.Unmarshal(data, &out)
	if err == nil && out.Output != "" && out.Duration == nil {
		err = json.Unmarshal([]byte(out.Output), &out)
	}
	if err == nil && out.Results != nil && out.Duration == nil {
		err = json.Unmarshal(out.Results, &out)
	}
	if err != nil {
		yield(nil, malformed(name, data, 0, err))
		return
	}
	if out.Source == string(record.Lab) {
		yield(nil, fmt.Errorf("%s was measured in the lab: imported it would pass for a figure of AWS", name))
		return
	}
	if len(out.Stats) == 0 {
		out.Stats = slices.DeleteFunc(out.ByPowerValue, func(v value) bool { return v.Duration == nil }) // those failed
	}
	if len(out.Stats) == 0 && out.Duration != nil { // includeOutputResults was false: the winner only
		var memory float64
		if json.Unmarshal([]byte(text(out.Power)), &memory) == nil {
			out.Stats = []value{{memory, out.Duration, out.Cost}}
		}
	}
	for i, v := range out.Stats {
		if !(v.Memory >= 1) || v.Memory > 1<<20 || v.Duration == nil || !(*v.Duration >= 0) {
			if !yield(nil, bad(name, 1, "stats[%d]: want a memory size and an average duration", i)) {
				return
			}
			continue
		}
		rec := o.record()
		rec.Start, rec.MemorySizeMB = record.Warm, int(v.Memory)
		rec.Published = cmp.Or(o.Published, "Power Tuning")
		rec.Summary = &record.Summary{Of: "Duration and INIT, trimmed mean", AverageMs: v.Duration, CostUSD: v.Price}
		if !yield(rec, nil) {
			return
		}
	}
}

// initStats reads {"init_count": 60, "init_total_ms": 2557.03, "init_average_ms": 42.61, "p20_ms": 40.41, ...}.
func initStats(data []byte, name string, o Options, yield func(*record.Record, error) bool) {
	var figures map[string]json.RawMessage
	if err := json.Unmarshal(data, &figures); err != nil {
		yield(nil, malformed(name, data, 0, err))
		return
	}
	if figures["init_count"] == nil {
		return
	}
	s := record.Summary{Of: "INIT", Ms: map[string]float64{}}
	for _, key := range slices.Sorted(maps.Keys(figures)) {
		var x float64
		isMs := strings.HasSuffix(key, "_ms") && !strings.Contains(key, "_ci")
		if key != "init_count" && !isMs || bytes.Equal(figures[key], []byte("null")) {
			continue
		}
		if json.Unmarshal(figures[key], &x) != nil || !(x >= 0) || math.IsInf(x, 0) {
			line := lineAt(data, int64(bytes.Index(data, []byte(`"`+key+`"`))))
			if !yield(nil, bad(name, line, "%s is %s: want a number >= 0", key, bytes.TrimSpace(figures[key]))) {
				return
			}
			continue
		}
		switch key {
		case "init_count":
			s.Count = int(min(x, 1e9))
		case "init_average_ms":
			s.AverageMs = &x
		default:
			if p := strings.TrimSuffix(key, "_ms"); p == "max" || strings.HasPrefix(p, "p") && len(p) > 1 && len(p) <= 5 {
				s.Ms[p] = x
			}
		}
	}
	rec := o.record()
	rec.Start, rec.Summary = record.Cold, &s
	base := filepath.Base(name)
	rec.Published = cmp.Or(o.Published, strings.TrimSuffix(base, filepath.Ext(base)))
	yield(rec, nil)
}

// maxDocument bounds what is read whole. lambda-perf writes 60 kB.
const maxDocument = 64 << 20

// whole reads a format's file at once.
func whole(read func(data []byte, name string, o Options, yield func(*record.Record, error) bool)) func(io.Reader, string, Options) iter.Seq2[*record.Record, error] {
	return func(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
		return func(yield func(*record.Record, error) bool) {
			plain, closeIt, err := unpacked(r)
			if err != nil {
				yield(nil, fmt.Errorf("unpacking %s: %w", name, err))
				return
			}
			defer closeIt()
			data, err := io.ReadAll(io.LimitReader(plain, maxDocument+1))
			switch {
			case err != nil:
				yield(nil, fmt.Errorf("reading %s: %w", name, err))
			case len(data) > maxDocument:
				yield(nil, fmt.Errorf("%s is larger than %d MB: no export is", name, maxDocument>>20))
			default:
				read(data, name, o, yield)
			}
		}
	}
}

// lineAt is the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte{'\n'})
}

// malformed says where JSON is not what it should be.
func malformed(name string, data []byte, base int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		base += syntax.Offset
	case errors.As(err, &kind):
		base += kind.Offset
	}
	return bad(name, lineAt(data, base), "%s", strings.TrimPrefix(err.Error(), "json: "))
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

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
