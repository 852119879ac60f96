package main

import (
	"testing"
	"time"
)

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"30s": "2026-11-29T11:59:30Z", "5m": "2026-11-29T11:55:00Z", "24h": "2026-11-28T12:00:00Z", "7d": "2026-11-22T12:00:00Z", "1w": "2026-11-22T12:00:00Z",
		"1h30m": "2026-11-29T10:30:00Z", "2026-11-20": "2026-11-20T00:00:00Z", "2026-11-20T10:00:00": "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.250Z": "2026-11-20T10:00:00.25Z",
		"2026-11-20T10:00:00+02:00": "2026-11-20T08:00:00Z", "2026-11-20T10:00:00+0200": "2026-11-20T08:00:00Z", "2026-11-20T10:00": "2026-11-20T10:00:00Z",
		"2026-11-20 10:00:00": "2026-11-20T10:00:00Z", "20261120T100000Z": "2026-11-20T10:00:00Z", "20261120": "2026-11-20T00:00:00Z",
	} {
		got, err := parseSince(text, now)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "7", "d", "7 d", "-7d", "-1h", "0h", "7D", "1y", "999999999w", "2027-01-01", "yesterday", "2026-13-01", "NaN"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
