package power

import "github.com/twinstart/twinstart/bench/measure/power/step"

// Limits of Step Functions. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	maxHistoryEvents = 25_000
	maxInline        = 40 // iterations of an inline Map at once
)

// History events. A Lambda task is entered, scheduled, started, succeeds and is exited; each retry adds a failure, a
// schedule and a start.
const (
	taskEvents   = 5 + 3*step.Retries
	choiceEvents = 2
	mapEvents    = 4 // entered, started, succeeded, exited
	itemEvents   = 2 // started, succeeded
	ownEvents    = 2 // of an execution: started, succeeded
	passEvents   = 2
)

// Events returns the most history events that the plan's main execution can have, and the most that a group's own
// execution can have if groups have one.
func (p *Plan) Events() (own, child int) {
	calls := min(p.Num, MaxCalls) // a call measures at least one round
	branch := calls*(taskEvents+choiceEvents) + passEvents
	publishing := min(len(p.Powers), maxPublish) * (taskEvents + choiceEvents)
	// 4 tasks: Initialise, Clean, Analyse, Optimise. One task and one state more: Clean and Fail after a failure.
	own = ownEvents + 4*taskEvents + publishing + mapEvents + taskEvents + passEvents
	if p.Distributed {
		return own + 3, ownEvents + branch // MapRun started, succeeded
	}
	return own + len(p.Groups)*(itemEvents+branch), 0
}
