package power

import (
	"cmp"

	"github.com/twinstart/twinstart/bench/measure"
)

// fields lists the fields of an input, in the order of the documentation.
var fields = []string{"lambdaARN", "num", "powerValues", "payload", "payloadS3", "parallelInvocation", "strategy",
	"balancedWeight", "autoOptimize", "autoOptimizeAlias", "dryRun", "preProcessorARN", "postProcessorARN",
	"discardTopBottom", "sleepBetweenRunsMs", "disablePayloadLogs", "includeOutputResults", "onlyColdStarts",
	"allowedExceptions", "assumeRoleARN", "compatible", "streamed"}

const byS3 = "put the payload into S3 and name it with payloadS3"

// ParseInput reads an input. The error is an *InputError with every mistake.
func ParseInput(data []byte, d Defaults) (Input, error) {
	if len(data) > maxInput {
		return Input{}, mistaken("it has %d bytes and may have %d: %s", len(data), maxInput, byS3)
	}
	r, err := newReader(data)
	if err != nil {
		return Input{}, err
	}
	var in Input
	r.unknown(&in)
	function := cmp.Or(d.Function, r.text("lambdaARN", ""))
	if function == "" && !r.failed("lambdaARN") {
		r.mistake("lambdaARN", "is missing: give a function's ARN (twinstart tune: --function, also a name or a package)")
	}
	in.Function, in.Qualifier, in.Region = r.function("lambdaARN", function)
	in.DryRun = r.boolean("dryRun")
	in.Num = r.integer(&in, "num", 0, MinNum, MaxNum)
	if !r.has("num") && !in.DryRun {
		r.mistake("num", "is missing: give the number of invocations of each power value, %d at least", MinNum)
	}
	in.PowerValues = r.powers(d.PowerValues)
	if most := room(len(in.PowerValues)); len(data) > most {
		r.mistake("powerValues", "has %d values: then the input may have %d bytes, and it has %d: %s",
			len(in.PowerValues), most, len(data), byS3)
	}
	in.Payloads = r.payload()
	in.PayloadS3 = r.text("payloadS3", "")
	in.Parallel = r.boolean("parallelInvocation")
	in.Strategy = Strategy(r.oneOf("strategy", string(Cost), string(Speed), string(Balanced)))
	in.BalancedWeight = r.number(&in, "balancedWeight", 0.5, 0, 1)
	in.AutoOptimize = r.boolean("autoOptimize")
	in.AutoOptimizeAlias = r.text("autoOptimizeAlias", "")
	in.PreProcessor = r.text("preProcessorARN", "")
	in.PostProcessor = r.text("postProcessorARN", "")
	in.OnlyColdStarts = r.boolean("onlyColdStarts")
	in.DiscardTopBottom = r.number(&in, "discardTopBottom", defaultTrim, 0, maxTrim)
	if in.OnlyColdStarts { // every cold start counts
		if r.has("discardTopBottom") && in.DiscardTopBottom > 0 {
			in.warn("discardTopBottom has no effect with onlyColdStarts: nothing is trimmed")
		}
		in.DiscardTopBottom = 0
	}
	in.SleepMs = r.integer(&in, "sleepBetweenRunsMs", 0, 0, maxSleepMs)
	in.DisablePayloadLogs = r.boolean("disablePayloadLogs")
	in.IncludeResults = r.boolean("includeOutputResults")
	in.AllowedExceptions = r.texts("allowedExceptions")
	if in.Role = r.text("assumeRoleARN", ""); in.Role != "" && !role.MatchString(in.Role) {
		r.mistake("assumeRoleARN", "%q is not the ARN of a role: use arn:aws:iam::ACCOUNT:role/NAME",
			measure.OneLine(in.Role, 100))
	}
	in.Compatible, in.Streamed = r.boolean("compatible"), r.boolean("streamed")
	r.combinations(&in)
	if len(r.mistakes) > 0 {
		return Input{}, &InputError{r.mistakes}
	}
	if in.DryRun {
		in.Num = 1
	}
	return in, nil
}
