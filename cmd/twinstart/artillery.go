package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/schedule"
)

// artilleryPhase is a phase of an Artillery file. Rates are arrivals a second.
// https://www.artillery.io/docs/reference/test-script#phases---load-phases
type artilleryPhase struct {
	Name        string
	Duration    string // seconds, or with a unit
	Pause       string
	ArrivalRate *float64       `yaml:"arrivalRate"`
	RampTo      *float64       `yaml:"rampTo"`
	Rest        map[string]any `yaml:",inline"`
}

// readArtillery reads the phases of an Artillery file. aside names its other parts, which say what to send and where.
func readArtillery(path string) (stages []schedule.Stage, aside []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading --artillery: %w", err)
	}
	var file struct {
		Config struct {
			Phases []artilleryPhase
			Rest   map[string]any `yaml:",inline"`
		}
		Rest map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, nil, fmt.Errorf("reading %s: %s", path, measure.OneLine(err.Error(), 200))
	}
	if len(file.Config.Phases) == 0 {
		return nil, nil, fmt.Errorf("%s has no config.phases, which is all that is taken from an Artillery file", path)
	}
	add := func(of string, parts map[string]any) {
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			aside = append(aside, of+part)
		}
	}
	add("config.", file.Config.Rest)
	add("", file.Rest)
	for i, p := range file.Config.Phases {
		s, err := p.stage()
		if err != nil {
			return nil, nil, fmt.Errorf("%s, phase %d: %w", path, i+1, err)
		}
		s.Name = cmp.Or(p.Name, fmt.Sprintf("phase %d", i+1))
		stages = append(stages, s)
		add(s.Name+"'s ", p.Rest)
	}
	return stages, aside, nil
}

func (p *artilleryPhase) stage() (s schedule.Stage, err error) {
	if s.For, err = artilleryTime(cmp.Or(p.Pause, p.Duration)); err != nil {
		return s, err
	}
	switch {
	case p.Pause != "":
	case p.ArrivalRate == nil && p.RampTo == nil:
		return s, errors.New("it has no arrivalRate, rampTo or pause")
	default:
		if p.ArrivalRate != nil {
			s.From = *p.ArrivalRate
		}
		if s.To = s.From; p.RampTo != nil {
			s.To = *p.RampTo
		}
	}
	if least, most := min(s.From, s.To), max(s.From, s.To); !(least >= 0 && most <= maxRate) {
		return s, fmt.Errorf("%g to %g arrivals a second: want 0 to %d", s.From, s.To, maxRate)
	}
	return s, nil
}

func artilleryTime(text string) (d time.Duration, err error) {
	if seconds, e := strconv.ParseFloat(text, 64); e == nil {
		d = time.Duration(seconds * float64(time.Second))
	} else {
		d, err = time.ParseDuration(text)
	}
	if err != nil || d <= 0 || d > 24*time.Hour {
		return 0, fmt.Errorf("duration or pause %q: want seconds, or a time such as 10m, 24h at most", text)
	}
	return d, nil
}
