package dashboard

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawslogs"

	"github.com/twinstart/twinstart/arm"
)

// DashboardProps says what to show. Experiment and Arms are required.
type DashboardProps struct {
	// A name for what the functions have in common. The metrics' namespace is Twinstart/<Experiment>.
	//
	// Example:
	//   Experiment: "packaging"
	// Required.
	Experiment string

	// The functions, in the order in which they are shown.
	//
	// Required.
	Arms []Arm

	// What to define.
	//
	// Example:
	//   Parts: []dashboard.Part{dashboard.Widgets, dashboard.Alarms}
	// Default: DefaultParts().
	Parts []Part

	// List prices for the estimated cost.
	//
	// Default: DefaultPrices, those of us-east-1.
	Prices map[arm.Architecture]Price

	// When the alarms ring. Zero values mean the defaults.
	Thresholds Thresholds
}

// Arm is a function, its name, and its log group.
type Arm struct {
	Function awslambda.IFunction
	LogGroup interfacesawslogs.ILogGroupRef
	Identity arm.Identity // Arm is required; an empty Architecture, which decides the price, means the function's
}

// Part is a part of what the construct defines.
type Part string

// The parts. docs/cost.md says what each costs.
const (
	Widgets      Part = "dashboard"    // the dashboard
	Metrics      Part = "metrics"      // Init Duration and Max Memory Used by arm, for 15 months; not on the dashboard
	Alarms       Part = "alarms"       // error rate, throttles and cold-start share of the experiment
	Queries      Part = "queries"      // saved queries of Logs Insights
	Contributors Part = "contributors" // a Contributor Insights rule: the log streams with the slowest INIT
)

// Parts returns all parts.
func Parts() []Part { return []Part{Widgets, Metrics, Alarms, Queries, Contributors} }

// DefaultParts returns the parts that cost next to nothing while no function runs.
func DefaultParts() []Part { return []Part{Widgets, Alarms, Queries} }

// MaxContributors is the most functions that a Contributor Insights rule can rank. The rule's definition names their
// log groups and has at most 8,192 characters.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutInsightRule.html
const MaxContributors = 60

func (p DashboardProps) withDefaults() DashboardProps {
	if p.Parts == nil {
		p.Parts = DefaultParts()
	}
	if p.Prices == nil {
		p.Prices = DefaultPrices
	}
	p.Thresholds.ErrorRate = cmp.Or(p.Thresholds.ErrorRate, 5)
	p.Thresholds.ColdStartShare = cmp.Or(p.Thresholds.ColdStartShare, 90)
	p.Thresholds.Throttles = cmp.Or(p.Thresholds.Throttles, 1)
	return p
}

func (p DashboardProps) has(part Part) bool { return slices.Contains(p.Parts, part) }

// name returns an arm's name, with its memory size if the experiment has several sizes.
func (p DashboardProps) name(a Arm) string {
	for _, other := range p.Arms {
		if other.Identity.MemorySizeMB != a.Identity.MemorySizeMB {
			return fmt.Sprintf("%s@%d", a.Identity.Arm, a.Identity.MemorySizeMB)
		}
	}
	return a.Identity.Arm
}

func (p DashboardProps) namespace() string { return "Twinstart/" + p.Experiment }

// plainName makes sure that names contain no syntax of queries, searches or templates.
var plainName = regexp.MustCompile(`^[A-Za-z0-9/_.@-]+$`)

func (p DashboardProps) validate() error {
	switch {
	case p.Experiment == "":
		return errors.New(`prop Experiment is missing: name what the functions have in common, such as "packaging"`)
	case !plainName.MatchString(p.Experiment):
		return fmt.Errorf("prop Experiment is %q: use letters, digits, - _ . and /", p.Experiment)
	case len(p.Arms) == 0:
		return errors.New("prop Arms is empty: give one function at least")
	case p.has(Contributors) && len(p.Arms) > MaxContributors:
		return fmt.Errorf("prop Arms has %d functions and part %s ranks %d at most: leave that part out, or some functions",
			len(p.Arms), Contributors, MaxContributors)
	}
	for _, part := range p.Parts {
		if !slices.Contains(Parts(), part) {
			return fmt.Errorf("unknown part %q: use %v", part, Parts())
		}
	}
	seen := map[string]bool{}
	for i, a := range p.Arms {
		switch {
		case a.Function == nil || a.LogGroup == nil:
			return fmt.Errorf("prop Arms: number %d has no Function or no LogGroup: set both", i+1)
		case a.Identity.Arm == "":
			return fmt.Errorf("prop Arms: number %d has no name: set Identity.Arm", i+1)
		case !plainName.MatchString(a.Identity.Arm):
			return fmt.Errorf("prop Arms: %q cannot name a metric: use letters, digits, - _ . @ and /", a.Identity.Arm)
		case seen[p.name(a)]:
			return fmt.Errorf("prop Arms: two are named %s: rename one", p.name(a))
		}
		seen[p.name(a)] = true
	}
	limit := p.Thresholds
	return cmp.Or(checkThreshold("ErrorRate", limit.ErrorRate, 100),
		checkThreshold("ColdStartShare", limit.ColdStartShare, 100), checkThreshold("Throttles", limit.Throttles, 1e9))
}

func checkThreshold(name string, value, highest float64) error {
	if value > 0 && value <= highest {
		return nil
	}
	return fmt.Errorf("prop Thresholds.%s is %v: use a number above 0, %v at most", name, value, highest)
}
