package show

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
)

// page is what the template shows.
type page struct {
	Policy           string
	Style            template.CSS
	Library, Program template.JS
	Data             template.JS

	Title       string // "packaging"
	Full        string // of the document
	Badges      []badge
	Facts       []string
	Answers     []report.Answer
	Summary     string
	Contests    []contest
	Folklore    []string
	Published   []string
	NotMeasured []arm.NotMeasured
	Limits      []string
	Warnings    []string
	Filters     []filter
	Clocks      []pictureClock
	Arms        int
	Baselines   bool
	Figures     []figure
	Numbers     []table
	Notes       []string
	Runs        []runView
	Render      string // the command that makes this page anew
}

// badge says where figures are from.
type badge struct {
	Kind record.Source
	Text string
}

// contest is the verdict by all clocks of one source.
type contest struct {
	Source record.Source
	Name   string
	Rows   []verdictRow
}

type verdictRow struct {
	Clock, Means string
	Cells        []verdictCell // at the median, in the tail
}

// verdictCell is what a kind of claim says, of each kind of package where those are apart.
type verdictCell struct {
	At     report.At
	Claims []verdictClaim
}

type verdictClaim struct {
	Among   string
	Winners []string // the first of them
	More    int      // further ones
	Text    string
}

// filter is a property of arms to choose by.
type filter struct {
	Key, Legend string
	Values      []string
}

type runView struct {
	Head    string
	Command string
	Rows    [][2]string
}

// shownWinners are named above the words of a verdict; more of them are a tie that nobody reads.
const shownWinners = 3

func newPage(r *report.Report, data *pictures) *page {
	p := &page{
		Title: cmp.Or(r.Experiment, "records"), Full: title(r), Badges: badges(r), Facts: facts(r), Answers: r.Answers, Summary: r.Verdict.Summary, NotMeasured: r.NotMeasured, Published: publishedFindings(r),
		Limits: r.Verdict.Limits, Warnings: r.Warnings, Filters: filters(data), Clocks: data.Clocks, Arms: len(r.Arms), Baselines: len(data.Baselines) > 0,
		Figures: figures(r, data), Numbers: numbers(r), Notes: []string{legend, r.Method}, Render: "twinstart report --format html --out report.html RECORDS.jsonl",
	}
	for _, s := range r.Sources {
		p.Contests = append(p.Contests, verdict(r, s))
	}
	for _, c := range r.Verdict.Claims {
		if c.Topic == "folklore" {
			p.Folklore = append(p.Folklore, label(r, c.Source)+c.Text)
		}
	}
	if r.Prices != "" {
		p.Notes = append(p.Notes, "Prices: "+r.Prices+".")
	}
	for _, run := range r.Runs {
		p.Runs = append(p.Runs, viewRun(run))
	}
	return p
}

// label stands before text about one of several sources.
func label(r *report.Report, s record.Source) string {
	if len(r.Sources) > 1 {
		return sourceName(s) + ": "
	}
	return ""
}

func sourceName(s record.Source) string {
	if s == record.Lab {
		return "Lab (not AWS)"
	}
	return "AWS"
}

func badges(r *report.Report) (out []badge) {
	for _, s := range r.Sources {
		if s == record.Lab {
			out = append(out, badge{s, "Lab figures of one machine, not AWS"})
		} else {
			out = append(out, badge{s, "Measured on AWS" + regions(r, s)})
		}
	}
	return out
}

func regions(r *report.Report, s record.Source) string {
	var names []string
	for i := range r.Arms {
		if a := &r.Arms[i]; a.Source == s && a.Region != "" && !slices.Contains(names, a.Region) {
			names = append(names, a.Region)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ")
}

// facts are the size and the time of what was measured.
func facts(r *report.Report) (out []string) {
	out = append(out, plural(len(r.Arms), "arm"))
	cold, warm := 0, 0
	for i := range r.Arms {
		cold += r.Arms[i].InitCount
		warm += r.Arms[i].Warm.Count
	}
	out = append(out, plural(cold, "cold start"), plural(warm, "warm invocation"))
	for _, run := range r.Runs {
		out = append(out, run.StartedAt.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if len(out) > 6 {
		out = append(out[:3], plural(len(r.Runs), "run"))
	}
	return out
}

func verdict(r *report.Report, s record.Source) contest {
	c := contest{Source: s, Name: sourceName(s)}
	for _, claim := range r.Verdict.Claims {
		if claim.Source != s || claim.Topic == "folklore" {
			continue
		}
		k := slices.IndexFunc(c.Rows, func(v verdictRow) bool { return v.Clock == string(claim.Clock) })
		if k < 0 {
			c.Rows = append(c.Rows, verdictRow{Clock: string(claim.Clock), Means: claim.Clock.Means()})
			k = len(c.Rows) - 1
		}
		said := verdictClaim{Among: claim.Among, Winners: claim.Winners, Text: claim.Text}
		if n := len(said.Winners); n > shownWinners {
			said.Winners, said.More = said.Winners[:shownWinners], n-shownWinners
		}
		row := &c.Rows[k]
		if n := len(row.Cells); n == 0 || row.Cells[n-1].At != claim.At {
			row.Cells = append(row.Cells, verdictCell{At: claim.At})
		}
		cell := &row.Cells[len(row.Cells)-1]
		cell.Claims = append(cell.Claims, said)
	}
	return c
}

// filters are the properties in which arms differ.
func filters(p *pictures) (out []filter) {
	add := func(key, legend string, of func(*pictureArm) string, order func(a, b string) int) {
		var values []string
		for i := range p.Arms {
			if v := of(&p.Arms[i]); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) < 2 {
			return
		}
		slices.SortFunc(values, order)
		out = append(out, filter{key, legend, values})
	}
	add("bootstrap", "Bootstrap", func(a *pictureArm) string { return a.Bootstrap }, strings.Compare)
	add("package", "Package", func(a *pictureArm) string { return cmp.Or(a.Package, "unknown") }, byPackage)
	add("memory", "Memory, MB", func(a *pictureArm) string { return strconv.Itoa(a.Memory) }, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	add("source", "Source", func(a *pictureArm) string { return string(a.Source) }, strings.Compare)
	return out
}

// numbers are the report's own tables, as text and Markdown have them.
func numbers(r *report.Report) []table {
	out := []table{
		armTable("init", banner(r)+"INIT (Init Duration), ms", r, initColumns),
		armTable("other", banner(r)+"size, other clocks (ms), memory, cost", r, otherColumns),
	}
	if len(r.Index) > 0 {
		out = append(out, gridTable("index", indexGrid(r)))
	}
	return out
}

// viewRun lists what a repeat of a run needs.
func viewRun(run *runfile.Run) runView {
	v := runView{Head: "Run " + run.RunID, Command: shellLine(run.Command)}
	add := func(key, value string) {
		if value != "" {
			v.Rows = append(v.Rows, [2]string{key, value})
		}
	}
	add("source", sourceName(run.Source))
	add("region", run.Region)
	add("seed", strconv.FormatUint(run.Seed, 10))
	add("started", run.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	if !run.EndedAt.IsZero() {
		add("ended", run.EndedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if m := run.Machine; m != nil {
		add("machine", strings.Join(slices.DeleteFunc([]string{m.OS + " " + m.Architecture, m.Kernel, m.CPU, plural(m.CPUs, "CPU"), memory(m.MemoryMB)}, func(s string) bool { return s == "" }), ", "))
	}
	for _, k := range sortedKeys(run.Versions) {
		add("version of "+k, run.Versions[k])
	}
	for _, k := range sortedKeys(run.Options) {
		value, err := json.Marshal(run.Options[k])
		if err == nil && string(value) != `""` {
			add("option "+k, string(value))
		}
	}
	for _, k := range sortedKeys(run.AssetDigests) {
		add("package of "+k, run.AssetDigests[k])
	}
	return v
}

func memory(mb int) string {
	if mb == 0 {
		return ""
	}
	return fmt.Sprintf("%d MB", mb)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// shellLine quotes a command so that it can be pasted.
func shellLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsFunc(a, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+%", c)
		}) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
