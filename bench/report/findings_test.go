package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// TestLabComparesNoZIPWithAnImage: the lab mounts both in the same way, so an answer would say nothing about AWS.
func TestLabComparesNoZIPWithAnImage(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms(), Cold: 60, Warm: 100, Seed: 3})
	primary := 0
	for _, c := range rep.Verdict.Claims {
		if c.Primary {
			primary++
			if !slices.Equal(c.Winners, []string{"bashtcp-static/" + c.Among}) {
				t.Errorf("want bashtcp-static as the only winner: %+v", c)
			}
		}
	}
	if primary != 3 {
		t.Errorf("%d primary claims, want one for each kind of package", primary)
	}
	kind := func(arm string) string { return arm[strings.LastIndexByte(arm, '/'):] }
	for _, c := range rep.Comparisons {
		if kind(c.Arm) != kind(c.Than) {
			t.Errorf("want a comparison within one kind of package: %+v", c)
		}
	}
	if said := folkloreText(rep); strings.Contains(said, "ZIP") || !strings.Contains(said, "compressed against plain") {
		t.Errorf("want folklore about compressing and none about ZIP: %s", said)
	}
	if !strings.Contains(strings.Join(rep.Verdict.Limits, "\n"), "not AWS figures") || len(rep.Verdict.Limits) < 3 {
		t.Errorf("a lab's verdict must say what it cannot show: %+v", rep.Verdict)
	}
}

func outcomes(rep *Report) map[string]Finding {
	out := map[string]Finding{}
	for _, f := range rep.Findings {
		out[f.Finding] = f
	}
	return out
}

func TestPublishedFindingsAreAnsweredOneByOne(t *testing.T) {
	lab := outcomes(build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms(), Cold: 60, Warm: 100, Seed: 3}))
	aws := outcomes(build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), Cold: 120, Seed: 4}))
	for _, c := range []struct {
		finding  string
		lab, aws Outcome
	}{
		{"net/http starts 21 % faster as an image than as a ZIP", NotSeen, Reproduced},
		{"net/http has a longer tail as an image (its p95 is 1.37 times that of the ZIP)", NotSeen, Undecided},
		{"raw TCP starts twice as fast as net/http", Reproduced, OrderOnly},
		{"raw TCP takes 2.6 times as long to start if UPX compressed it", Reproduced, Reproduced},
		{"images beat ZIP for packages above about 5 MB", NotSeen, Undecided},
	} {
		if l, a := lab[c.finding], aws[c.finding]; l.Outcome != c.lab || a.Outcome != c.aws {
			t.Errorf("%s: %q, want %q; %q, want %q", c.finding, l.Text, c.lab, a.Text, c.aws)
		}
		if l := lab[c.finding]; c.lab == NotSeen && (l.Settles == "" || l.Here != nil) {
			t.Errorf("a finding that cannot be seen has no ratio, and says what would settle it: %+v", l)
		}
	}
	if f := lab["net/http starts 21 % faster as an image than as a ZIP"]; !strings.Contains(f.Text, "Predicted on AWS, not measured: nethttp/image ") {
		t.Errorf("want a prediction for AWS: %q", f.Text)
	}
	for _, f := range lab {
		if f.Finding == "Rust starts three times as fast as Go" {
			t.Errorf("this run has no arm of the finding: %+v", f)
		}
	}
}

// The questions of folklore find their arms by size and KiB read, so users may choose names.
func TestFolkloreFindsItsArms(t *testing.T) {
	foreign := func(name string, kind arm.Package, size int64, read, cpu float64) recordtest.Arm {
		return recordtest.Arm{Bootstrap: name, Package: kind, SizeKiB: size, ReadKiB: read, CPUMs: cpu, FirstMs: 2, WarmMs: 1, MemoryMB: 12}
	}
	run := recordtest.Run{Source: record.Lab, Cold: 60, Warm: 20, Seed: 5, Arms: []recordtest.Arm{
		foreign("orders", arm.ZIP, 2000, 1900, 1), foreign("orders", arm.Image, 2000, 1900, 1), foreign("orders-packed", arm.ZIP, 700, 700, 40),
		foreign("orders-assets", arm.ZIP, 9000, 1905, 1), foreign("users", arm.ZIP, 4000, 3000, 1),
	}}
	lab := build(t, Options{}, run)
	run.Source = record.AWS
	aws := build(t, Options{}, run)
	said := folkloreText(lab) + folkloreText(aws)
	for _, want := range []string{"image against ZIP, by INIT. orders: ", "compressed against plain, by INIT. orders-packed against orders as zip: slower",
		"more bytes that are not read, by INIT. orders-assets against orders as zip: not told apart"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, "users") {
		t.Errorf("want no folklore about an arm that fits no question: %s", said)
	}
	asked := func(rep *Report, question string) string {
		i := slices.IndexFunc(rep.Answers, func(a Answer) bool { return a.Question == question })
		if i < 0 {
			return ""
		}
		return rep.Answers[i].Sure
	}
	for question, sure := range map[string][2]string{"Which is fastest?": {toldApart, toldApart}, "Does compressing pay?": {toldApart, ""},
		"Do unread bytes cost?": {aTie, ""}, "ZIP or image?": {onlyPredicted, toldApart}} {
		if got := [2]string{asked(lab, question), asked(aws, question)}; got != sure {
			t.Errorf("%s %q, want %q", question, got, sure)
		}
	}
}

// The first answer names the arm that failed. The other answers are about the arm that is left.
func TestAnArmWithNothingButFailures(t *testing.T) {
	var records strings.Builder
	for i := range 6 {
		fmt.Fprintf(&records, `{"schema":1,"source":"lab","arm":"old/zip","start":"cold","round":%d,"initDurationMs":4.5,"durationMs":1.5,"requestId":"o%[1]d"}
{"schema":1,"source":"lab","arm":"new/zip","start":"cold","round":%[1]d,"functionError":"boom","marked":"function error","requestId":"n%[1]d"}
`, i+1)
	}
	rep, err := Stream(strings.NewReader(records.String()), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := rep.Answers; len(a) < 2 || a[0].Question != "What failed?" || a[0].Answer != "new/zip: boom" || a[1].Question != "How long is a cold start?" {
		t.Errorf("want the failed arm first, and then the cold start of the other: %+v", a)
	}
}

// TestOrdersOfLanguages: if no claim compares two arms, their finding compares them, by its own clock.
func TestOrdersOfLanguages(t *testing.T) {
	const total, upx, atOnce = "Rust's cold total", "UPX saves no time", "nine queries at once"
	for _, c := range []struct {
		arms    []string
		factors []float64
		finding string
		want    Outcome
		text    string
	}{
		{[]string{"rust-wave", "go-wave"}, []float64{0.35, 1}, total, OrderOnly, " here by cold total, published 0.33x"},
		{[]string{"rust-wave", "go-wave"}, []float64{2, 1}, total, Reversed, "published 0.33x"},
		{[]string{"rust-wave", "go-wave"}, []float64{1, 1}, total, Undecided, "here by cold total, published 0.33x"},
		{[]string{"go-upx-wave", "go-wave"}, []float64{2, 1}, upx, Undecided, "a gain of less than "},
		{[]string{"go-search-concurrent", "go-search"}, []float64{1, 1}, atOnce, Undecided, "published without a figure"},
		{[]string{"rust-wave", "node-wave"}, []float64{1, 1}, total, NotSeen, "go-wave/zip was not measured"},
	} {
		rep := scene{arms: []drawer{lognormal(0.05)}, k: 2, n: 30, factors: c.factors}.claims(8)
		all := rep.behind()
		for i, m := range all {
			m.group.arm, m.label = c.arms[i]+"/zip", c.arms[i]+"/zip"
		}
		s := &sequence{rep: rep, side: side{source: record.AWS}, contests: []map[Clock]*contest{{ClockInit: newContest(side{source: record.AWS}, ClockInit, all, 0.05)}}}
		got := findings(rep, all, []*sequence{s})
		i := slices.IndexFunc(got, func(f Finding) bool { return strings.HasPrefix(f.Finding, c.finding) })
		if i < 0 || got[i].Outcome != c.want || !strings.Contains(got[i].Text, c.text) {
			t.Errorf("%v: want %q: %+v", c.arms, c.want, got)
		}
	}
}

// TestPublishedFindingsAreWhole: every field of findings.json is read, and each ratio lies in its interval.
func TestPublishedFindingsAreWhole(t *testing.T) {
	var all []publishedRatio
	decoder := json.NewDecoder(bytes.NewReader(findingsJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil || len(all) < 18 {
		t.Fatalf("%d findings: %v", len(all), err)
	}
	for _, p := range all {
		if p.Finding == "" || p.By == "" || p.Arm == "" || p.Than == "" {
			t.Errorf("incomplete: %+v", p)
		}
		if r := p.ratio(); r < p.CI[0]-0.006 || r > p.CI[1]+0.006 {
			t.Errorf("%s: %.3f is not in %v", p.Finding, r, p.CI)
		}
		if !slices.Contains([]At{"", UsuallyFaster, LowerTail}, p.At) || p.Clock != "" && !slices.Contains(allClocks, p.Clock) {
			t.Errorf("%s: %q by %q", p.Finding, p.At, p.Clock)
		}
	}
}
