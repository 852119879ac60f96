package report

import "github.com/twinstart/twinstart/bench/record"

// Comparison compares two arms by one clock. Interval and p-value come from the same test and are corrected for all
// pairs.
type Comparison struct {
	Clock     Clock      `json:"clock"`
	At        At         `json:"at"`
	Arm       string     `json:"arm"`
	Than      string     `json:"than"`       // usually the best
	Ratio     float64    `json:"ratio"`      // arm / than
	CI        [2]float64 `json:"ratio_ci95"` // in 95 % of runs, all intervals of the claim hold
	P         float64    `json:"p"`          // adjusted for all pairs of the claim
	Told      bool       `json:"told_apart"` // the interval excludes 1
	Test      string     `json:"test"`
	N         int        `json:"n"`                     // rounds that both share, or values of the smaller sample
	Effective float64    `json:"effective_n,omitempty"` // fewer than N if neighbours depend on each other
	Why       string     `json:"untested,omitempty"`    // why nothing was tested; Ratio, CI and P mean nothing then

	name string // in an answer to a question
}

// At is what a claim says about the winner.
type At string

// The claims, named after what they test. A claim about a tail names its percentile: "lower p90".
const (
	UsuallyFaster At = "usually faster" // in most rounds: signed ranks of log ratios; rank sums if there are no rounds
	LowerMedian   At = "lower median"   // rounds resampled
	LowerTail     At = "lower tail"     // of a claim that was not tested; a tested one names its percentile
)

// Verdict says in words what the figures show.
type Verdict struct {
	Sequence string   `json:"sequence"` // the order in which claims are tested, fixed before looking
	Claims   []*Claim `json:"claims"`
	Limits   []string `json:"limits"` // questions that these figures cannot answer
}

// Claim says which arm is best. Claims are tested in a fixed order, and each only if the one before it told arms
// apart. So if no arms differ, a report names a winner in 5 % of runs, however many claims it makes.
type Claim struct {
	Topic     string        `json:"topic"` // cold, warm, load or folklore
	Source    record.Source `json:"source"`
	Published string        `json:"published,omitempty"` // by whom, for published arms
	Among     string        `json:"among,omitempty"`     // the function or kind of package that is compared
	Clock     Clock         `json:"clock"`
	At        At            `json:"at"`
	Primary   bool          `json:"primary,omitempty"`
	Tested    bool          `json:"tested"`             // if false, Text says why
	Arms      int           `json:"arms"`               // number of arms that were compared
	Winners   []string      `json:"winners"`            // the best arm and its ties; empty if not tested
	Power     *float64      `json:"power_5_percent"`    // chance that a run tells 5 %; the median over pairs
	Detects   *float64      `json:"detects"`            // ratio that 80 % of such runs tell
	Question  string        `json:"question,omitempty"` // folklore: "image", "image-minimal", "compressed", "padded"
	Pairs     []Comparison  `json:"pairs,omitempty"`    // the comparisons that answer the question
	Text      string        `json:"text"`

	of   []*measured // the arms, best median first
	next *Comparison // the fastest of the arms that are told to be slower than the winner, or nil
}

// Told reports whether the claim calls any arm better than another.
func (c *Claim) Told() bool { return c.Tested && len(c.Winners) > 0 && len(c.Winners) < c.Arms }

// limits say what the figures of a source cannot show, whatever their values.
var limits = map[record.Source][]string{
	record.AWS: {
		"One run shows one day in one region, and days differ by more than many effects: repeat it on other days " +
			"before you decide.",
		"INIT and cold total leave out download, unpacking and placement; only the caller's wait includes them.",
	},
	record.Lab: {
		"These are lab figures of this machine, not AWS figures. AWS has other times and other ratios of times: the " +
			"lab's disk is memory, so reading takes too small a part of the time. The order of arms of one kind of " +
			"package is mostly the same on AWS, and so are the KiB read. A prediction from these KiB is a hypothesis with " +
			"an interval (docs/model.md); a run with --source aws and twinstart calibrate check it.",
		"The lab cannot say what AWS adds before INIT: download and unpacking of a ZIP (where its size matters), " +
			"placement, and the network.",
		"The lab cannot say how fast an image starts on AWS: AWS loads an image lazily, in 512 KiB chunks, from shared " +
			"caches. Warm caches are fast, cold ones make a long tail. The lab compares arms of one kind of package " +
			"only; to compare ZIP with image, or the tail of either, run with --source aws.",
	},
}
