package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

// title says what was measured, and where, so that lab figures are not taken for AWS figures.
func title(r *report.Report) string {
	name := cmp.Or(r.Experiment, "records")
	if len(r.Arms) == 0 {
		return name + ": published figures only, nothing that was measured here"
	}
	return fmt.Sprintf("%s: %s, %s", name, report.Plural(len(r.Arms), "arm"), where(r))
}

// notCold is how the lab's warning begins that it could not mount packages afresh, mostly for want of root.
const notCold = "packages are made cold by posix_fadvise"

func warm(r *report.Report) string {
	if slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, notCold) }) {
		return ", packages not wholly cold"
	}
	return ""
}

func where(r *report.Report) string {
	var parts []string
	for _, s := range r.Sources {
		if s == record.Lab {
			parts = append(parts, "measured in the lab, not on AWS"+warm(r))
			continue
		}
		parts = append(parts, strings.Join(append([]string{"measured on AWS"}, regions(r, s)...), " "))
	}
	return strings.Join(parts, "; and ")
}

// regions returns the regions in which a source was measured.
func regions(r *report.Report, s record.Source) (out []string) {
	for _, a := range r.Arms {
		if a.Source == s && a.Region != "" {
			out = list.Add(out, a.Region)
		}
	}
	return out
}

// banner is the prefix of table titles.
func banner(r *report.Report) string {
	if len(r.Sources) == 1 && r.Sources[0] == record.Lab {
		return "Lab: "
	}
	return ""
}

// runs returns a line for each run: its seed, time and machine.
func runs(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		about := []string{"run " + run.RunID, fmt.Sprintf("seed %d", run.Seed), run.StartedAt.UTC().Format("2006-01-02 15:04 UTC")}
		if m := run.Machine; m != nil {
			about = append(about, strings.TrimSpace(m.OS+" "+m.Architecture+" "+m.Kernel), m.CPU, report.Plural(m.CPUs, "CPU"))
		}
		out = append(out, strings.Join(fields(about...), ", "))
	}
	return out
}

// sections returns the parts of the verdict.
func sections(r *report.Report) (out []page.Part) {
	for _, source := range r.Sources {
		for _, t := range []struct{ topic, head string }{{"load", "Under load"}, {"cold", "Cold"}, {"warm", "Warm"}, {"folklore", "What people say, held against it"}} {
			if len(r.Sources) > 1 {
				t.head += " (" + string(source) + ")"
			}
			out = say(out, t.head, claims(r, source, t.topic))
		}
	}
	return say(out, "What this cannot say", r.Verdict.Limits)
}

// say adds a part with sentences, if there are any. The part's ID comes from the first words of its heading.
func say(parts []page.Part, head string, lines []string) []page.Part {
	words := strings.FieldsFunc(strings.ToLower(head), func(c rune) bool { return c < 'a' || c > 'z' })
	if len(lines) == 0 {
		return parts
	}
	return append(parts, page.Part{ID: "say-" + strings.Join(words[:min(3, len(words))], "-"), Title: head, Lines: lines})
}

// claims returns the lines of a topic. A later claim by the same clock with the same winners adds a sentence to the
// line.
func claims(r *report.Report, source record.Source, topic string) (lines []string) {
	type key struct {
		clock            report.Clock
		among, published string
	}
	at := map[key]int{}
	first := map[key]*report.Claim{}
	for _, c := range r.Verdict.Claims {
		if c.Topic != topic || c.Source != source {
			continue
		}
		k := key{c.Clock, c.Among, c.Published}
		switch f := first[k]; {
		case topic == "folklore":
			lines = append(lines, c.Text)
		case f != nil && c.Tested && slices.Equal(sorted(f.Winners), sorted(c.Winners)):
			lines[at[k]] += fmt.Sprintf(" %s: the same%s.", upper(string(c.At)), power(c))
		case f != nil && !c.Tested:
			lines[at[k]] += fmt.Sprintf(" %s: %s", upper(string(c.At)), c.Text)
		default:
			if f == nil {
				first[k], at[k] = c, len(lines)
			}
			lines = append(lines, fmt.Sprintf("%s, %s%s: %s", c.Clock, c.At, among(c), c.Text))
		}
	}
	return lines
}

// power returns the power of a claim if it could have missed something.
func power(c *report.Claim) string {
	if c.Power == nil || *c.Power >= 0.995 {
		return ""
	}
	return fmt.Sprintf(" (5 %% is told in %.0f %% of runs)", 100**c.Power)
}

func sorted(xs []string) []string { return slices.Sorted(slices.Values(xs)) }

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// among says which arms a claim is about, if they are not all arms of a source.
func among(c *report.Claim) string {
	if c.Among == "" {
		return ""
	}
	return ", as " + c.Among
}

// notes explains the columns, intervals and costs.
func notes(r *report.Report) string {
	s := legend + " " + r.Method
	if len(r.Verdict.Claims) > 0 {
		s += " Fixed before looking: " + r.Verdict.Sequence + "."
	}
	if r.Prices != "" {
		s += " Prices: " + r.Prices + "."
	}
	return s
}

// findings returns the sections on published findings, factors and costs.
func findings(r *report.Report) (out []page.Part) {
	out = say(out, "Published findings, held against this run", publishedFindings(r))
	for _, f := range r.Factors {
		head := "What the factors do (" + f.Model +
			fmt.Sprintf("; %d %s of %d arms, geometric means, R2 %.3f)", f.Observations, observed(&f), f.Cells, f.R2)
		if len(r.Factors) > 1 {
			head += ", " + strings.Join(fields(string(f.Source), f.Region, string(f.Architecture), f.Experiment, f.Handler), " ")
		}
		out = say(out, head, f.Text)
	}
	if c := r.Cost; c != nil {
		var lines []string
		for _, k := range c.Cheapest {
			line := label(r, k.Source)
			if k.Among != "" {
				line += "as " + k.Among + ": "
			}
			lines = append(lines, line+k.Text)
		}
		for _, b := range c.BreakEven {
			lines = append(lines, fmt.Sprintf("below %s cold starts %s costs less, above it %s", breakEven(&b), b.Arm, b.Than))
		}
		out = say(out, fmt.Sprintf("Cost, %s of invocations cold", percentShare(c.ColdShare)), lines)
	}
	return out
}

func observed(f *report.Factors) string {
	if f.Clock == report.ClockLoad {
		return "repeats"
	}
	return "cold starts"
}

func publishedFindings(r *report.Report) (out []string) {
	for _, f := range r.Findings {
		line := label(r, f.Source) + f.Text
		if f.Settles != "" {
			line += ". To settle it: " + f.Settles
		}
		out = append(out, line)
	}
	return out
}

// breakEven returns, for example, "12 % [9, 16]".
func breakEven(b *report.BreakEven) string {
	return fmt.Sprintf("%s [%.2g, %.2g]", percentShare(b.ColdShare), 100*b.CI[0], 100*b.CI[1])
}

// outlierTable shows cold starts and invocations far from the others of their arm.
func outlierTable(r *report.Report) table.Table {
	t := table.Table{ID: "outliers", Title: "Outliers (beyond 3 interquartile ranges, on the log scale): shown, in every figure", Heads: table.Heads(1, "arm", "outliers", "the farthest")}
	for _, a := range r.Arms {
		if o := a.Outlier; o != nil {
			t.Add(a.Arm, fmt.Sprint(a.OutlierCount), fmt.Sprintf("%s %s ms", o.Clock, ms(&o.Ms)))
		}
	}
	return t
}

// fields returns the texts that are not empty.
func fields(xs ...string) []string {
	return slices.DeleteFunc(xs, func(x string) bool { return x == "" })
}
