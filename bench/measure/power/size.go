package power

// MaxStateBytes is Step Functions' limit of a state's input or output.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const MaxStateBytes = 262_144

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
