package power

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

var role = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`)

// combinations checks fields whose values depend on each other or have a form of their own, such as an ARN.
func (r *reader) combinations(in *Input) {
	if in.PayloadS3 != "" {
		if _, _, err := splitS3(in.PayloadS3); err != nil {
			r.mistake("payloadS3", "%v", err)
		}
	}
	r.function("preProcessorARN", in.PreProcessor)
	r.function("postProcessorARN", in.PostProcessor)
	if a := in.AutoOptimizeAlias; a != "" && !arm.IsAlias(a) {
		r.mistake("autoOptimizeAlias", "%q is not a valid alias name: use letters, digits, - and _, not only digits", a)
	}
	if in.Num > 0 && !in.DryRun && in.PayloadS3 == "" && !r.failed("payload") {
		if err := in.Payloads.check(in.Num); err != nil {
			r.mistake("payload", "%v", err)
		}
	}
	useless := func(when bool, what string) {
		if when {
			in.warn("%s", what)
		}
	}
	useless(r.has("payload") && in.PayloadS3 != "", "payload has no effect beside payloadS3")
	useless(in.AutoOptimizeAlias != "" && !in.AutoOptimize, "autoOptimizeAlias has no effect without autoOptimize")
	useless(r.has("balancedWeight") && in.Strategy != Balanced, "balancedWeight has no effect without strategy balanced")
	useless(in.SleepMs > 0 && in.Parallel, "sleepBetweenRunsMs has no effect with parallelInvocation")
	useless(in.Parallel && in.OnlyColdStarts, "parallelInvocation has no effect with onlyColdStarts: "+
		"each cold start has its own version, and versions are published one after the other")
	useless(in.DryRun && in.AutoOptimize, "autoOptimize has no effect with dryRun")
}

// arn matches the ARN of a function: partition, region, account, name, qualifier.
var arn = regexp.MustCompile(`^arn:(aws[a-z-]*):lambda:([a-z]{2,8}(?:-[a-z]+)+-[0-9]+):([0-9]{12}):function:` + named)

// name matches the name of a function, or a partial ARN, with or without a qualifier.
var name = regexp.MustCompile(`^(?:[0-9]{12}:function:)?` + named)

// named matches a function's name with its qualifier, if it has one.
const named = `([A-Za-z0-9_-]{1,140})(?::(\$LATEST|[A-Za-z0-9_-]+))?$`

// function splits the ARN or name of a function. "" has no parts.
func (r *reader) function(field, text string) (function, qualifier, region string) {
	if m := arn.FindStringSubmatch(text); m != nil {
		function, _ = strings.CutSuffix(text, ":"+m[5])
		return function, m[5], m[2]
	}
	if m := name.FindStringSubmatch(text); m != nil {
		return m[1], m[2], ""
	}
	if text != "" {
		r.mistake(field, "%q is neither the ARN of a Lambda function nor a function's name: "+
			"use arn:aws:lambda:REGION:ACCOUNT:function:NAME", measure.OneLine(text, 100))
	}
	return "", "", ""
}

// DefaultPowerValues returns Power Tuning's own default.
func DefaultPowerValues() []int { return []int{128, 256, 512, 1024, 1536, 3008} }

func (r *reader) powers(defaults []int) (out []int) {
	const field = "powerValues"
	if len(defaults) == 0 {
		defaults = DefaultPowerValues()
	}
	value := r.values[field]
	list, isList := value.([]any)
	switch {
	case value == "ALL":
		for p := arm.MinMemoryMB; p <= allPowersMax; p += 64 {
			out = append(out, p)
		}
		return out
	case value == nil || value == "" || isList && len(list) == 0:
		return slices.Clone(defaults)
	case !isList:
		r.mistake(field, "is %s: give a list of memory sizes in MB, or \"ALL\"", show(value))
	case len(list) > maxPowers:
		r.mistake(field, "has %d values: give 1 to %d", len(list), maxPowers)
		list = nil
	}
	for _, x := range list {
		n, ok := numeric(x)
		if !ok || n != math.Trunc(n) || n < arm.MinMemoryMB || n > arm.MaxMemoryMB {
			r.mistake(field, "holds %s: each is a whole number of MB from %d to %d", show(x), arm.MinMemoryMB, arm.MaxMemoryMB)
		}
		out = append(out, int(n))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
