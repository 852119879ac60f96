package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"gopkg.in/yaml.v3"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// loadCommand puts functions under load and reports how long their callers waited.
type loadCommand struct {
	measureFlags
	Requests    *int          `xor:"n" group:"many" placeholder:"N"`
	Concurrency *int          `xor:"c" group:"many" placeholder:"N"`
	Rate        []string      `xor:"n,c" group:"many" placeholder:"N/s"`
	Ramp        string        `xor:"n,c" group:"many" placeholder:"FROM:TO/TIME"`
	Artillery   string        `xor:"n,c" group:"many" placeholder:"FILE"`
	Poisson     bool          `group:"many"`
	For         time.Duration `group:"many" placeholder:"TIME"`
	MaxInFlight int           `group:"many" default:"1000" placeholder:"N"`
	Repeats     int           `group:"many" placeholder:"N"`
	Via         string        `group:"where" default:"invoke" enum:"invoke,url"`
}

// Run measures and reports like twinstart run.
func (c *loadCommand) Run(ctx context.Context, std streams) (err error) {
	r := &runCommand{measureFlags: c.measureFlags, Load: &measure.Load{}, Parallel: 1}
	if !c.Resume {
		if r.Load, err = c.schedule(std); err != nil {
			return err
		}
	}
	return r.Run(ctx, std)
}

// schedule reads the load that the flags ask for.
func (c *loadCommand) schedule(std streams) (*measure.Load, error) {
	l := &measure.Load{Repeats: c.Repeats, ViaURL: c.Via == "url"}
	requests, concurrency := cmp.Or(c.Requests, new(500)), cmp.Or(c.Concurrency, new(10))
	open := len(c.Rate) > 0 || c.Ramp+c.Artillery != ""
	switch {
	case !open && (c.Poisson || c.For != 0):
		return nil, errors.New("--poisson and --for are for an open load: give its --rate, too")
	case c.For < 0 || c.For > 24*time.Hour:
		return nil, fmt.Errorf("--for %v: want a time from 0 to 24h", c.For)
	case c.MaxInFlight < 1 || c.Repeats < 0 || c.Repeats > 1e6 || *requests < 1 || *concurrency < 1:
		return nil, fmt.Errorf("--max-in-flight %d --repeats %d --requests %d --concurrency %d: want 1 or more, or leave it "+
			"out; of --repeats at most 1000000", c.MaxInFlight, c.Repeats, *requests, *concurrency)
	case !open:
		l.Requests, l.Concurrency = *requests, *concurrency
		l.Of = fmt.Sprintf("%d requests at concurrency %d", l.Requests, l.Concurrency)
		return l, nil
	}
	l.MaxInFlight = c.MaxInFlight
	var err error
	switch {
	case c.Artillery != "":
		l.Stages, err = readArtillery(c.Artillery, std)
	case c.Ramp != "":
		l.Stages, err = readRamp(c.Ramp)
	default:
		for _, text := range c.Rate {
			rate, e := readRate("--rate", text)
			err = cmp.Or(err, e)
			l.Stages = append(l.Stages, schedule.Stage{Name: text, From: rate, To: rate, For: cmp.Or(c.For, time.Minute)})
		}
	}
	name := cmp.Or(c.Ramp, strings.Join(c.Rate, ", "), filepath.Base(c.Artillery))
	l.Of = fmt.Sprintf("%s in %v", name, schedule.Length(l.Stages))
	if c.Poisson {
		l.Of += ", Poisson"
	}
	for i := range l.Stages {
		l.Stages[i].Poisson = c.Poisson
	}
	if err == nil && l.Count(0) == 0 {
		err = errors.New("the load has no request: raise its rate or its time")
	}
	return l, err
}

// name returns the subcommand's name.
func (c *runCommand) name() string {
	if c.Load != nil {
		return "load"
	}
	return "run"
}

// suffix is "-load" for a load and "" for a run: their folders have different names.
func (c *runCommand) suffix() string { return strings.TrimSuffix("-"+c.name(), "-run") }

// readyLoad completes a load for the arms that were found. If a load goes to URLs, the lab's functions get URLs.
func (c *runCommand) readyLoad(ctx context.Context, from *source) {
	if c.Load == nil {
		return
	}
	if c.Load.Repeats == 0 {
		if c.Load.Repeats = defaultRepeats; len(from.targets) == 1 {
			c.Load.Repeats = 1
		}
	}
	for _, t := range from.targets {
		if c.Load.ViaURL && from.name == record.Lab { // if this fails, the measurement reports it
			in := &lambda.CreateFunctionUrlConfigInput{FunctionName: &t.FunctionName, AuthType: types.FunctionUrlAuthTypeNone}
			_, _ = from.client.CreateFunctionUrlConfig(ctx, in)
		}
	}
}

// maxRate bounds rates: far above what one machine can send.
const maxRate = 100_000

// readRate reads a rate as "10/s", "600/m", or "10" for 10/s.
func readRate(flag, text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	per := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	rate, err := strconv.ParseFloat(number, 64)
	if rate /= per; err != nil || !(rate >= 0 && rate <= maxRate) {
		return 0, fmt.Errorf("%s %q: want a rate, such as 10/s or 600/m, of up to %d/s", flag, text, maxRate)
	}
	return rate, nil
}

func readRamp(text string) ([]schedule.Stage, error) {
	rates, long, _ := strings.Cut(text, "/")
	from, to, _ := strings.Cut(rates, ":")
	s := schedule.Stage{Name: text}
	var errs [3]error
	s.From, errs[0] = readRate("--ramp", from)
	s.To, errs[1] = readRate("--ramp", to)
	if s.For, errs[2] = time.ParseDuration(long); errors.Join(errs[:]...) != nil || s.For <= 0 {
		return nil, fmt.Errorf("--ramp %q: want FROM:TO/TIME, such as 10:100/60s", text)
	}
	return []schedule.Stage{s}, nil
}

// readArtillery reads the phases of an Artillery file, whose rates are arrivals a second, and warns about other parts.
// https://www.artillery.io/docs/reference/test-script#phases---load-phases
func readArtillery(path string, std streams) (stages []schedule.Stage, err error) {
	var file struct {
		Config struct {
			Phases []struct {
				Name, Duration string         // seconds, or with a unit
				ArrivalRate    *float64       `yaml:"arrivalRate"`
				RampTo         *float64       `yaml:"rampTo"`
				Rest           map[string]any `yaml:",inline"`
			}
			Rest map[string]any `yaml:",inline"`
		}
		Rest map[string]any `yaml:",inline"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil {
		what, _, _ := strings.Cut(measure.OneLine(err.Error(), 200), " into ") // what follows is a type of this program
		return nil, fmt.Errorf("reading --artillery %s: %s: want an Artillery file with config.phases", path, what)
	}
	var aside []string
	name := func(of string, parts map[string]any) {
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			aside = append(aside, of+part)
		}
	}
	name("config.", file.Config.Rest)
	name("", file.Rest)
	for i, p := range file.Config.Phases {
		s := schedule.Stage{Name: cmp.Or(p.Name, fmt.Sprintf("phase %d", i+1))}
		if p.Duration == "" || p.ArrivalRate == nil {
			return nil, fmt.Errorf("%s: %s: want a phase with duration and arrivalRate, with or without rampTo", path, s.Name)
		}
		s.From, s.To = *p.ArrivalRate, *cmp.Or(p.RampTo, p.ArrivalRate)
		if s.For, err = time.ParseDuration(p.Duration); err != nil {
			s.For, err = time.ParseDuration(p.Duration + "s")
		}
		if err != nil || s.For <= 0 || s.For > 24*time.Hour || !(min(s.From, s.To) >= 0 && max(s.From, s.To) <= maxRate) {
			return nil, fmt.Errorf("%s: %s lasts %q, at %g to %g arrivals a second: want seconds, or a time such as 10m, "+
				"24h at most, and 0 to %d", path, s.Name, p.Duration, s.From, s.To, maxRate)
		}
		stages = append(stages, s)
		name(s.Name+"'s ", p.Rest)
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s has no config.phases, the part of an Artillery file that is read: add it", path)
	}
	if len(aside) > 0 {
		std.warn(fmt.Sprintf("%s: these parts are ignored: %s", path, strings.Join(aside, ", ")))
	}
	return stages, nil
}

// defaultRepeats is how often each of several arms meets a load: enough for a test of two arms.
const defaultRepeats = 6

// loadMeter shows the course of a load: rate, errors, latencies and cold starts.
type loadMeter struct {
	bar                                *phase
	last                               [1000]float64 // latencies
	seen, answered, failed, shed, cold int
	began, told                        time.Time
}

func (m *loadMeter) observe(r record.Record) {
	if m.seen++; m.seen == 1 {
		m.began = time.Now()
	}
	ms, ok := r.LatencyMs()
	switch {
	case r.Marked.Is(record.Shed):
		m.shed++
	case !ok || r.FunctionError != "" || r.Marked.Is(record.Throttled):
		m.failed++
	default:
		m.last[m.answered%len(m.last)] = ms
		m.answered++
		if r.Start == record.Cold {
			m.cold++
		}
	}
	if time.Since(m.told) >= time.Second/4 {
		m.told, m.bar.name = time.Now(), m.String()
	}
	m.bar.add(r.Arm, 1)
}

// String describes the load so far; its percentiles are of the last 1,000 answers.
func (m *loadMeter) String() string {
	s := stat.NewSample(slices.Clone(m.last[:min(m.answered, len(m.last))]))
	rate := float64(m.answered) / max(time.Since(m.began).Seconds(), 0.001)
	failed := report.Plural(m.failed, "error")
	text := fmt.Sprintf("load: %.1f/s, %s, %d shed, p50 %.1f ms", rate, failed, m.shed, s.Quantile(0.5))
	if s.N() >= stat.MinP99 {
		text += fmt.Sprintf(", p99 %.1f ms", s.Quantile(0.99))
	}
	return text + ", " + report.Plural(m.cold, "cold start")
}
