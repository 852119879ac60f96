package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// since is a moment in the past, in the words of the AWS CLI's logs tail --since: a number and a unit (s, m, h, d, w), counted back from now,
// or an ISO 8601 time; or as Go writes durations, 1h30m.
// See https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html.
type since struct{ time.Time }

// UnmarshalText reads it.
func (s *since) UnmarshalText(text []byte) (err error) {
	s.Time, err = parseSince(string(text), time.Now())
	return err
}

var relative = regexp.MustCompile(`^([0-9]{1,9})([smhdw])$`)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// isoLayouts are ISO 8601 as people write it; without a zone it is UTC, as the AWS CLI takes it.
var isoLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05Z0700", "2006-01-02T15Z07:00", "2006-01-02",
	"2006-01-02 15:04:05.999999999", "20060102T150405Z0700", "20060102T150405", "20060102",
}

func parseSince(text string, now time.Time) (time.Time, error) {
	back := time.Duration(-1)
	if m := relative.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || int64(n) > int64(100*365*24*time.Hour/units[m[2]]) {
			return time.Time{}, fmt.Errorf("%s is longer than 100 years: want a time in the past, such as 7d", text)
		}
		back = time.Duration(n) * units[m[2]]
	} else if d, err := time.ParseDuration(text); err == nil {
		back = d
	}
	at := now.Add(-back)
	if back < 0 {
		var err error
		for _, layout := range isoLayouts {
			if at, err = time.Parse(layout, text); err == nil {
				break
			}
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is not a time: want 30m, 24h, 7d or 1w, or an ISO time such as 2026-11-20T10:00:00Z", text)
		}
	}
	if !at.Before(now) {
		return time.Time{}, fmt.Errorf("%s is not in the past: want from when on to read, such as 1h", text)
	}
	return at, nil
}
