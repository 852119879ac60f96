package show

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

func sections(r *report.Report) (out []page.Part) {
	for _, source := range r.Sources {
		of := ""
		if len(r.Sources) > 1 {
			of = " (" + string(source) + ")"
		}
		for _, t := range [][2]string{{"load", "Under load"}, {"cold", "Cold"}, {"warm", "Warm"},
			{"folklore", "What people say, and what was measured"}} {
			out = say(out, t[1]+of, claims(r, source, t[0]))
		}
	}
	return say(out, "What this cannot say", r.Verdict.Limits)
}

// say adds a part with sentences, if there are any. Its ID has the first words of the heading, and the part's number,
// because headings may begin alike.
func say(parts []page.Part, head string, lines []string) []page.Part {
	if len(lines) == 0 {
		return parts
	}
	words := strings.FieldsFunc(strings.ToLower(head), func(c rune) bool { return c < 'a' || c > 'z' })
	id := fmt.Sprintf("say-%s-%d", strings.Join(words[:min(3, len(words))], "-"), len(parts))
	return append(parts, page.Part{ID: id, Title: head, Lines: lines})
}

// claims returns the lines of a topic. A later claim about the same arms, by the same clock, adds a sentence to
// the line of the first if it has the same winners or was not tested.
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
			as := ""
			if c.Among != "" {
				as = ", as " + c.Among
			}
			lines = append(lines, fmt.Sprintf("%s, %s%s: %s", c.Clock, c.At, as, c.Text))
		}
	}
	return lines
}

// power returns the power of a claim, if it may have missed a difference.
func power(c *report.Claim) string {
	if c.Power == nil || *c.Power >= 0.995 {
		return ""
	}
	return fmt.Sprintf(" (such a run finds a difference of 5 %% with a chance of %.0f %%)", 100**c.Power)
}

func sorted(xs []string) []string { return slices.Sorted(slices.Values(xs)) }

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// findings returns the parts on published findings, factors and costs.
func findings(r *report.Report) (out []page.Part) {
	var published []string
	for _, f := range r.Findings {
		line := label(r, f.Source) + f.Text
		if f.Settles != "" {
			line += ". To settle it: " + f.Settles
		}
		published = append(published, line)
	}
	out = say(out, "Published findings, and what this run says about them", published)
	for _, f := range r.Factors {
		head := note("factors", f)
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
			lines = append(lines, fmt.Sprintf("below %s cold starts %s is cheaper, above it %s", breakEven(&b), b.Arm, b.Than))
		}
		out = say(out, fmt.Sprintf("Cost if %s of invocations are cold", percentShare(c.ColdShare)), lines)
	}
	return out
}

// title says what was measured and where, so that nobody takes lab figures for AWS figures.
func title(r *report.Report) string {
	name := cmp.Or(r.Experiment, "records")
	if len(r.Arms) == 0 {
		return name + ": published figures only, nothing was measured here"
	}
	places := list.Map(r.Sources, func(s record.Source) string { return place(r, s) })
	return fmt.Sprintf("%s: %s, %s", name, report.Plural(len(r.Arms), "arm"), strings.Join(places, "; and "))
}

// notCold is the beginning of the lab's warning that it could not mount packages, mostly because it is not root.
const notCold = "packages are made cold by posix_fadvise"

// NotAWS is the beginning of the warning that an endpoint was named in place of AWS's own.
const NotAWS = "AWS_ENDPOINT_URL names "

// place says where a source was measured.
func place(r *report.Report, s record.Source) string {
	warnings := "\n" + strings.Join(r.Warnings, "\n")
	switch {
	case s != record.Lab && strings.Contains(warnings, "\n"+NotAWS):
		return "measured at AWS_ENDPOINT_URL, which may not be AWS"
	case s != record.Lab:
		return strings.Join(append([]string{"measured on AWS"}, regions(r, s)...), " ")
	case strings.Contains(warnings, "\n"+notCold):
		return "measured in the lab, not on AWS, packages not wholly cold"
	}
	return "measured in the lab, not on AWS"
}

func startOf(run *runfile.Run) string { return run.StartedAt.UTC().Format("2006-01-02 15:04 UTC") }

// regions returns the regions in which a source was measured.
func regions(r *report.Report, s record.Source) (out []string) {
	for _, a := range r.Arms {
		if a.Source == s && a.Region != "" {
			out = list.Add(out, a.Region)
		}
	}
	return out
}

// banner returns the prefix of table titles: it labels a report that has only lab figures.
func banner(r *report.Report) string {
	if len(r.Sources) == 1 && r.Sources[0] == record.Lab {
		return "Lab: "
	}
	return ""
}

//go:embed notes.tmpl
var noteText string

var noteForm = template.Must(template.New("").Parse(noteText))

// note returns a text of notes.tmpl on one line.
func note(name string, data any) string {
	var b strings.Builder
	if err := noteForm.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // the file is part of the program, and tests print every note
	}
	return list.OneLine(b.String())
}

// outlierTable shows cold starts and invocations that lie far from the others of their arm.
func outlierTable(r *report.Report) table.Table {
	t := table.Table{ID: "outliers",
		Title: "Outliers (beyond 3 interquartile ranges on the log scale); all figures include them",
		Heads: table.Heads(1, "arm", "outliers", "farthest")}
	for _, a := range r.Arms {
		if o := a.Outlier; o != nil {
			t.Add(a.Arm, fmt.Sprint(a.OutlierCount), fmt.Sprintf("%s %s ms", o.Clock, ms(&o.Ms)))
		}
	}
	return t
}

// some returns a number with its noun and the rest of the text, or "" for 0.
func some(n int, noun, rest string) string {
	if n == 0 {
		return ""
	}
	return report.Plural(n, noun) + rest
}

// fields returns the texts that are not empty.
func fields(xs ...string) []string {
	return slices.DeleteFunc(xs, func(x string) bool { return x == "" })
}
