package report

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/twinstart/twinstart/bench/record"
)

// Finding is a published finding about AWS, checked against this report.
type Finding struct {
	Finding   string        `json:"finding"`
	By        string        `json:"by"`
	Published float64       `json:"published_ratio,omitempty"` // of Arm to Than; absent if no figure was published
	Arm       string        `json:"arm"`
	Than      string        `json:"than"`
	Source    record.Source `json:"source"`
	Outcome   Outcome       `json:"outcome"`
	Here      *Comparison   `json:"here"`                // null if they were not compared
	Predicted string        `json:"predicted,omitempty"` // for AWS, from the lab's counts; not measured
	Text      string        `json:"text"`
	Settles   string        `json:"settles,omitempty"` // the measurement on AWS that would settle it
}

// Outcome is the result of checking a published finding.
type Outcome string

// The outcomes.
const (
	Reproduced    Outcome = "as published"
	OrderOnly     Outcome = "order as published, size not"
	Reversed      Outcome = "reversed here"
	NotReproduced Outcome = "not as published" // a threshold
	Undecided     Outcome = "not told apart here"
	NotSeen       Outcome = "cannot be seen here"
)

// publishedRatio is a ratio of times that others published.
type publishedRatio struct {
	Finding, By string
	Arm, Than   string
	// Ms are the published times of Arm and Than. They are equal if nothing was gained, and 0 if no figure was published.
	Ms [2]float64
	// CI comes from the published spread, or from the spread over days. Both ends are the ratio if no spread is known.
	CI    [2]float64
	At    At    // "" is UsuallyFaster
	Clock Clock // "" is INIT
}

//go:embed findings.json
var findingsJSON []byte

// publishedFindings returns the findings of findings.json, which is part of the program.
func publishedFindings() (all []publishedRatio) {
	if err := json.Unmarshal(findingsJSON, &all); err != nil {
		panic(err)
	}
	return all
}

func (p *publishedRatio) ratio() float64 {
	if p.Ms[1] == 0 {
		return 0
	}
	return p.Ms[0] / p.Ms[1]
}

// findings checks the published findings against each source's own arms. It skips a finding if the report has neither
// of its arms.
func findings(rep *Report, all []*measured, sequences []*sequence) (out []Finding) {
	var alone []Gains // pairs that no claim compares; they are one family
	var judges []func()
	for _, s := range sequences {
		if s.published != "" {
			continue
		}
		for _, p := range publishedFindings() {
			a, b := s.find(all, p.Arm), s.find(all, p.Than)
			if a == nil && b == nil {
				continue
			}
			var g Gains
			if p.Clock != "" && a != nil && b != nil {
				g = gains(a, b, []Clock{p.Clock})
				alone = append(alone, g)
			}
			at := len(out)
			out = append(out, Finding{Finding: p.Finding, By: p.By, Published: Round(p.ratio()), Arm: p.Arm, Than: p.Than,
				Source: s.source, Settles: fmt.Sprintf("twinstart run --source aws --arms '%s,%s'", p.Arm, p.Than)})
			judges = append(judges, func() { out[at].judge(s, p, a, b, g.By(p.Clock)) })
		}
		if f, ok := s.threshold(rep, all); ok {
			out = append(out, f)
		}
	}
	tell(alone, rep.Alpha)
	for _, judge := range judges {
		judge()
	}
	return out
}

// find returns the arm with an id and the sequence's source. Of several it returns the one with the published memory
// size.
func (s *sequence) find(all []*measured, id string) (found *measured) {
	for _, m := range all {
		if m.group.arm == id && s.has(m) && m.samples[ClockInit].N() > 0 && (found == nil || m.group.memory == 1024) {
			found = m
		}
	}
	return found
}
