package power

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// warnings says how far the figures can be trusted.
func warnings(p *Plan, values []Value) (out []string) {
	say := func(when bool, format string, of ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, of...))
		}
	}
	say(p.Num < stat.MinP99, "no p99: it takes %d invocations of each power value, and there were %d", stat.MinP99, p.Num)
	for _, v := range values {
		at, ok := fmt.Sprintf("%d MB", v.Value), v.Failed == ""
		say(!ok, "%s is not compared: %s", at, v.Failed)
		say(ok && p.Cold && v.ColdStarts < v.Invocations, "%s: %d of %d invocations were not cold starts",
			at, v.Invocations-v.ColdStarts, v.Invocations)
		say(ok && !p.Cold && v.ColdStarts > v.Invocations/2,
			"%s: %d of %d invocations were cold starts, and are in the averages", at, v.ColdStarts, v.Invocations)
		say(ok && v.MaxMemoryUsedMB*10 >= v.Value*9, "%s: %d MB were used, so little is left", at, v.MaxMemoryUsedMB)
		say(ok && v.FunctionErrors > 0, "%s: %d of %d invocations failed and were tried again (%s)",
			at, v.FunctionErrors, v.Invocations+v.FunctionErrors, v.LastError)
		say(v.AllowedErrors > 0, "%s: %d invocations ended with an allowed exception", at, v.AllowedErrors)
	}
	return out
}
