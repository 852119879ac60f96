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
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// powerTuning reads Power Tuning's output: {"power", "cost", "duration", "stats": [{"value", "averageDuration",
// "averagePrice"}]}. It may be the member "results", as in Power Tuning's documentation, or text in the member
// "output" of an execution's description. Averages are trimmed means of Duration + INIT, so they become summaries.
// Without stats, powerTuning reads byPowerValue of twinstart tune, or else the best value only.
func powerTuning(data []byte, name string, o Options, give func(*record.Record, error)) error {
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
		return malformed(name, data, err)
	}
	if out.Source == string(record.Lab) {
		return fmt.Errorf("%s was measured in the lab: as an imported record it would count as a figure of AWS", name)
	}
	if len(out.Stats) == 0 {
		failed := func(v value) bool { return v.Duration == nil }
		out.Stats = slices.DeleteFunc(out.ByPowerValue, failed)
	}
	if len(out.Stats) == 0 && out.Duration != nil { // includeOutputResults was false, so there is only the best value
		// Power Tuning writes it as a number or as text.
		if memory, err := strconv.ParseFloat(fmt.Sprint(out.Power), 64); err == nil {
			out.Stats = []value{{memory, out.Duration, out.Cost}}
		}
	}
	for i, v := range out.Stats {
		if !(v.Memory >= 1) || v.Memory > 1<<20 || v.Duration == nil || !(*v.Duration >= 0) {
			give(nil, bad(name, 1, "stats[%d]: want a memory size and an average duration", i))
			continue
		}
		rec := o.record()
		rec.Start, rec.MemorySizeMB = record.Warm, int(v.Memory)
		rec.Published = cmp.Or(o.Published, "Power Tuning")
		rec.Summary = &record.Summary{Of: "Duration and INIT, trimmed mean", AverageMs: v.Duration, CostUSD: v.Price}
		give(rec, nil)
	}
	return nil
}

// initStats reads {"init_count": 60, "init_total_ms": 2557.03, "init_average_ms": 42.61, "p20_ms": 40.41, ...}.
func initStats(data []byte, name string, o Options, give func(*record.Record, error)) error {
	var figures map[string]any
	if err := json.Unmarshal(data, &figures); err != nil {
		return malformed(name, data, err)
	}
	if figures["init_count"] == nil {
		return nil
	}
	s := record.Summary{Of: "INIT", Ms: map[string]float64{}}
	for _, key := range slices.Sorted(maps.Keys(figures)) {
		x, isNumber := figures[key].(float64)
		switch figure, isMs := strings.CutSuffix(key, "_ms"); {
		case figures[key] == nil || key != "init_count" && (!isMs || strings.Contains(key, "_ci")):
		case !isNumber || !(x >= 0):
			line := lineAt(data, int64(bytes.Index(data, []byte(`"`+key+`"`))))
			give(nil, bad(name, line, "%s is %v: want a number >= 0", key, figures[key]))
		case key == "init_count":
			s.Count = int(min(x, 1e9))
		case key == "init_average_ms":
			s.AverageMs = &x
		case figure == "max" || strings.HasPrefix(figure, "p") && len(figure) > 1 && len(figure) <= 5:
			s.Ms[figure] = x
		}
	}
	give(o.summary(name, record.Cold, &s), nil)
	return nil
}

// summary returns the record of a file of published figures.
func (o Options) summary(name string, start record.Start, s *record.Summary) *record.Record {
	rec := o.record()
	rec.Start, rec.Summary = start, s
	base := filepath.Base(name)
	rec.Published = cmp.Or(o.Published, strings.TrimSuffix(base, filepath.Ext(base)))
	return rec
}

// ab reads the CSV of ab -e: "Percentage served,Time in ms", then a row for each percent. The time is the caller's, of
// a closed load. https://httpd.apache.org/docs/2.4/programs/ab.html
func ab(data []byte, name string, o Options, give func(*record.Record, error)) error {
	s := record.Summary{Of: "latency under load", Ms: map[string]float64{}}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		percent, time, _ := strings.Cut(strings.TrimSpace(line), ",")
		n, isPercent := strconv.Atoi(percent)
		switch ms, err := strconv.ParseFloat(time, 64); {
		case i == 0 && percent == "Percentage served":
		case errors.Join(isPercent, err) != nil || !(ms >= 0 && ms < 1e9) || n < 0 || n > 100:
			return bad(name, i+1, "%q: want a percentage and a time in ms, as ab -e writes them", line)
		case n == 100:
			s.Ms["max"] = ms
		default:
			s.Ms[fmt.Sprintf("p%d", n)] = ms
		}
	}
	give(o.summary(name, record.Warm, &s), nil)
	return nil
}

// whole makes a reader of a format from a function that reads a whole file. The function passes all records and errors
// to give, even after the consumer has stopped, because such files are small.
func whole(
	read func(data []byte, name string, o Options, give func(*record.Record, error)) error,
) func(io.Reader, string, Options) iter.Seq2[*record.Record, error] {
	return func(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
		return func(yield func(*record.Record, error) bool) {
			stopped := false
			give := func(r *record.Record, err error) { stopped = stopped || !yield(r, err) }
			var data []byte
			in, err := unpacked(r, name)
			if err == nil {
				data, err = wholeFile(in, name)
			}
			if err == nil {
				err = read(data, name, o, give)
			}
			if err != nil {
				give(nil, err)
			}
		}
	}
}

// lineAt returns the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte{'\n'})
}

// malformed returns the error for invalid JSON, with its line.
func malformed(name string, data []byte, err error) error {
	offset := int64(0)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset, err = kind.Offset, fmt.Errorf("%s must not be a JSON %s", cmp.Or(kind.Field, "it"), kind.Value)
	}
	return bad(name, lineAt(data, offset), "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// lambdaPerfRow is a function of lambda-perf's daily data, as it is since 2023. See
// https://github.com/maxday/lambda-perf/tree/main/data.
type lambdaPerfRow struct {
	Display string    `json:"d"`
	Package string    `json:"p"`
	Arch    string    `json:"a"`
	Memory  int       `json:"m"`
	Inits   []float64 `json:"i"` // Init Duration of each cold start, ms
}

func lambdaPerf(data []byte, name string, o Options, give func(*record.Record, error)) error {
	var whole struct {
		Metadata struct {
			GeneratedAt string `json:"generatedAt"`
		} `json:"metadata"`
		RuntimeData []json.RawMessage `json:"runtimeData"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return malformed(name, data, err)
	}
	label := cmp.Or(o.Published, fmt.Sprintf("lambda-perf %.10s", whole.Metadata.GeneratedAt)) // the date
	for i, raw := range whole.RuntimeData {
		fail := func(err error) { give(nil, bad(name, 1, "runtimeData[%d]: %w", i, err)) }
		var row lambdaPerfRow
		if err := json.Unmarshal(raw, &row); err != nil {
			fail(err)
			continue
		}
		architecture, err := arm.ParseArchitecture(row.Arch)
		if err != nil || row.Display == "" || row.Package == "" || len(row.Inits) == 0 {
			fail(errors.New("want a name, an architecture and Init Durations"))
			continue
		}
		id := arm.ID(row.Display, arm.Package(row.Package))
		if ok, _ := path.Match(o.Arm, id); o.Arm != "" && !ok {
			continue
		}
		for _, init := range row.Inits {
			rec := o.record()
			rec.Published, rec.Start = label, record.Cold
			rec.Arm, rec.Bootstrap, rec.Package = id, row.Display, arm.Package(row.Package)
			rec.Architecture, rec.MemorySizeMB, rec.InitDurationMs = architecture, row.Memory, &init
			if err := rec.Validate(); err != nil {
				fail(err)
			} else {
				give(rec, nil)
			}
		}
	}
	return nil
}
