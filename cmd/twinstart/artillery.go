package main

import (
	"cmp"
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

// readArtillery reads the phases of an Artillery file, whose rates are arrivals a second. aside names its other parts.
// https://www.artillery.io/docs/reference/test-script#phases---load-phases
func readArtillery(path string) (stages []schedule.Stage, aside []string, err error) {
	var file struct {
		Config struct {
			Phases []struct {
				Name, Duration, Pause string         // seconds, or with a unit
				ArrivalRate           float64        `yaml:"arrivalRate"`
				ArrivalCount          *float64       `yaml:"arrivalCount"` // in all, evenly
				RampTo                *float64       `yaml:"rampTo"`
				Rest                  map[string]any `yaml:",inline"`
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
		return nil, nil, fmt.Errorf("reading --artillery %s: %s", path, measure.OneLine(err.Error(), 200))
	}
	name := func(of string, parts map[string]any) {
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			aside = append(aside, of+part)
		}
	}
	name("config.", file.Config.Rest)
	name("", file.Rest)
	for i, p := range file.Config.Phases {
		s := schedule.Stage{Name: cmp.Or(p.Name, fmt.Sprintf("phase %d", i+1)), From: p.ArrivalRate, To: p.ArrivalRate}
		if p.RampTo != nil {
			s.To = *p.RampTo
		}
		takes := cmp.Or(p.Pause, p.Duration)
		seconds, e := strconv.ParseFloat(takes, 64)
		if s.For = time.Duration(seconds * float64(time.Second)); e != nil {
			s.For, err = time.ParseDuration(takes)
		}
		if p.Pause != "" {
			s.From, s.To = 0, 0
		} else if p.ArrivalCount != nil {
			s.From = *p.ArrivalCount / s.For.Seconds()
			s.To = s.From
		}
		if p.ArrivalCount != nil && (p.ArrivalRate != 0 || p.RampTo != nil) {
			return nil, nil, fmt.Errorf("%s: %s has arrivalCount, and arrivalRate or rampTo: choose", path, s.Name)
		}
		if err != nil || s.For <= 0 || s.For > 24*time.Hour || !(min(s.From, s.To) >= 0 && max(s.From, s.To) <= maxRate) {
			return nil, nil, fmt.Errorf("%s: %s lasts %q, at %g to %g arrivals a second: want seconds, or a time such as 10m, 24h at most, and 0 to %d", path, s.Name, takes, s.From, s.To, maxRate)
		}
		stages = append(stages, s)
		name(s.Name+"'s ", p.Rest)
	}
	if len(stages) == 0 {
		return nil, nil, fmt.Errorf("%s has no config.phases, which is all that is taken from an Artillery file", path)
	}
	return stages, aside, nil
}
