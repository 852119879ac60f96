package power

import "github.com/twinstart/twinstart/bench/measure/power/step"

// Limits of Step Functions. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	MaxHistoryEvents = 25_000
	MaxInline        = 40      // iterations of an inline Map at once
	MaxStateBytes    = 262_144 // input or output of a state
)

// What this package allows itself.
const (
	// MaxInlineInvocations is up to where all power values are measured in the same rounds: what that carries from state to state
	// is every duration. Beyond, each value gets an execution, and so a history and a state, of its own.
	MaxInlineInvocations = 1000
	// MaxCalls is how often a group's measuring is continued by another call of the step's function.
	MaxCalls   = 1000
	maxPublish = 130 // calls of the publishing step
)

// valueBytes is what a power value's result takes at most, of the state in which all of them come together.
const valueBytes = 1700

// room is how many bytes an input may have beside the results of its power values.
func room(powers int) int { return min(maxInput, MaxStateBytes-8<<10-powers*valueBytes) }

// History events. A Lambda task is entered, scheduled, started, succeeds and is exited; each retry adds a failure, a schedule and a start.
const (
	taskEvents   = 5 + 3*step.Retries
	choiceEvents = 2
	mapEvents    = 4 // entered, started, succeeded, exited
	itemEvents   = 2 // started, succeeded
	ownEvents    = 2 // of an execution: started, succeeded
	passEvents   = 2
)

// size decides how a state machine runs the plan.
func (p *Plan) size() {
	p.Distributed = p.Num*len(p.Powers) > MaxInlineInvocations
	if p.Distributed {
		for _, power := range p.Powers {
			p.Groups = append(p.Groups, Group{[]int{power}})
		}
	} else {
		p.Groups = []Group{{p.Powers}}
	}
	p.Concurrency = len(p.Groups)
	if p.Cold { // cold starts publish versions, of one function, one after the other
		p.Concurrency = 1
	}
	p.Unpublished = !p.Cold
}

// Events is the most history events that the plan's main execution can have, and the most of a group's own where it has one.
func (p *Plan) Events() (own, child int) {
	calls := min(p.Num, MaxCalls) // a call measures one round at least
	branch := calls*(taskEvents+choiceEvents) + passEvents
	publishing := min(len(p.Powers), maxPublish) * (taskEvents + choiceEvents)
	// Initialise, Clean, Analyse, Optimise; after a failure cleaning and failing.
	own = ownEvents + 4*taskEvents + publishing + mapEvents + taskEvents + passEvents
	if p.Distributed {
		return own + 3, ownEvents + branch // MapRun started, succeeded
	}
	return own + len(p.Groups)*(itemEvents+branch), 0
}

// Transitions is how many state transitions the plan is billed for: every state that is entered, by the calls that each group's
// measuring took. Retries come on top.
func (p *Plan) Transitions(calls []int) int {
	n := 1 + 2*max(p.Publishes, 1) + 1 + 3 // Initialise, Publish and Published?, Measure, then Clean, Analyse, Optimise
	for _, c := range calls {
		n += 2*c + 1 // Execute and Done?, Measured
		if p.Distributed {
			n++ // the start of an execution of its own
		}
	}
	return n
}
