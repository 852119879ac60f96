package conformance

import (
	"fmt"
	"strconv"
)

// descriptorScenarios have handlers that close or overwrite descriptors that are not theirs. A shell that is shared
// with the bootstrap loses the event during which that happens, and no other event. A shell for one event loses
// nothing.
var descriptorScenarios = []contractScenario{
	allDescriptors("every descriptor closed", "exec $i>&-"),
	allDescriptors("every descriptor overwritten, to read", "exec $i</dev/null"),
	allDescriptors("every descriptor overwritten, to write", "exec $i>>$LAMBDA_TASK_ROOT/file"),
	eachDescriptor("each of the last descriptors closed", "exec $1>&-"),
	eachDescriptor("each of the last descriptors overwritten, to read", "exec $1</dev/null"),
	eachDescriptor("each of the last descriptors overwritten, to write", "exec $1>>$LAMBDA_TASK_ROOT/file"),
}

func allDescriptors(name, command string) contractScenario {
	return contractScenario{
		name:    name,
		handler: "run() { local i; [[ $1 != x ]] || for i in {3..255}; do eval \"" + command + "\"; done; echo log >&2; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3", "4"),
		check: func(o *outcome, isolation string) error {
			if isolation != "worker" {
				return o.responses("1", "x", "3", "4")
			}
			_, err := o.failure("id-2")
			return first(err, o.response(1, "1"), o.response(3, "3"), o.response(4, "4"), o.running())
		},
	}
}

// eachDescriptor makes every second event close or overwrite another descriptor. That must not matter to the events
// between.
func eachDescriptor(name, command string) contractScenario {
	var bodies []string
	for i := 238; i <= 255; i++ {
		bodies = append(bodies, strconv.Itoa(i), "ok")
	}
	return contractScenario{
		name:    name,
		handler: "run() { [[ $1 == ok ]] || eval \"" + command + "\"; echo log >&2; printf %s \"$1\"; }\n",
		events:  events(bodies...),
		check: func(o *outcome, isolation string) error {
			for i, body := range bodies {
				responses, failures := len(o.find(fmt.Sprintf("/invocation/id-%d/response", i+1))), len(o.find(fmt.Sprintf("/invocation/id-%d/error", i+1)))
				if responses+failures != 1 {
					return fmt.Errorf("event %d, %s, has %d responses and %d errors", i+1, body, responses, failures)
				}
				if responses == 0 && (body == "ok" || isolation != "worker") {
					return fmt.Errorf("event %d, %s, has an error", i+1, body)
				}
			}
			return o.running()
		},
	}
}
