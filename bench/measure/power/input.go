package power

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

// Limits of an input.
const (
	MinNum       = 5
	MaxNum       = 1_000_000
	maxTrim      = 0.4
	maxInput     = 150 << 10 // bytes; input and progress go from state to state in 256 KiB together
	maxPowers    = 128
	defaultTrim  = 0.2
	maxSleepMs   = 15 * 60 * 1000
	allPowersMax = 3008 // "ALL" is 128 to 3008 MB in steps of 64
)

// DefaultPowerValues returns those of Power Tuning.
func DefaultPowerValues() []int { return []int{128, 256, 512, 1024, 1536, 3008} }

// Strategy says which power value is the best.
type Strategy string

// The strategies.
const (
	Cost     Strategy = "cost"
	Speed    Strategy = "speed"
	Balanced Strategy = "balanced"
)

// Input is the input of Power Tuning 4.4.0, checked, with its defaults filled in.
type Input struct {
	Function, Qualifier string // lambdaARN without its version or alias, and that; Qualifier may be ""
	Region              string // of the ARN; "" for a name
	Role                string // ARN of a role in the function's account to assume; "" means none
	PowerValues         []int  // MB, ascending, without repetition
	Num                 int    // invocations of each power value
	Payloads            Payloads
	PayloadS3           string // "" or s3://bucket/key
	Parallel            bool
	Strategy            Strategy
	BalancedWeight      float64 // 0 speed to 1 cost
	AutoOptimize        bool
	AutoOptimizeAlias   string
	DryRun              bool
	PreProcessor        string
	PostProcessor       string
	DiscardTopBottom    float64 // share of the invocations that the trimmed mean leaves out at each end
	SleepMs             int
	DisablePayloadLogs  bool
	IncludeResults      bool
	OnlyColdStarts      bool
	AllowedExceptions   []string
	Streamed            bool // whether the function sends its response in pieces
	Compatible          bool // cost by Power Tuning's formula; the invocations of a power value follow each other

	Warnings []string // about fields without an effect
}

// InputError lists everything that is wrong with an input.
type InputError struct{ Mistakes []string }

func (e *InputError) Error() string {
	if len(e.Mistakes) == 1 {
		return "the input has a mistake: " + e.Mistakes[0]
	}
	return fmt.Sprintf("the input has %d mistakes: %s", len(e.Mistakes), strings.Join(e.Mistakes, "; "))
}

// Defaults are set by the deployer or the command line.
type Defaults struct {
	PowerValues []int  // nil for DefaultPowerValues
	Function    string // in place of lambdaARN; "" means that lambdaARN is required
}

// fields lists the fields of an input, in the order of the documentation.
var fields = []string{"lambdaARN", "num", "powerValues", "payload", "payloadS3", "parallelInvocation", "strategy", "balancedWeight", "autoOptimize",
	"autoOptimizeAlias", "dryRun", "preProcessorARN", "postProcessorARN", "discardTopBottom", "sleepBetweenRunsMs", "disablePayloadLogs",
	"includeOutputResults", "onlyColdStarts", "allowedExceptions", "assumeRoleARN", "compatible", "streamed"}

// ParseInput reads an input. The error is an *InputError with every mistake.
func ParseInput(data []byte, d Defaults) (Input, error) {
	if len(data) > maxInput {
		return Input{}, &InputError{[]string{fmt.Sprintf("it has %d bytes and may have %d: put the payload into S3 and name it with payloadS3", len(data), maxInput)}}
	}
	r, err := newReader(data)
	if err != nil {
		return Input{}, err
	}
	var in Input
	r.unknown(&in)
	function := cmp.Or(d.Function, r.text("lambdaARN", ""))
	if function == "" && !r.failed("lambdaARN") {
		r.mistake("lambdaARN", "is missing: give the ARN of the function to be tuned (twinstart tune: with --function, also a name or a package)")
	}
	in.Function, in.Qualifier, in.Region = r.function("lambdaARN", function)
	in.DryRun = r.boolean("dryRun")
	in.Num = r.integer(&in, "num", 0, MinNum, MaxNum)
	if !r.has("num") {
		if in.DryRun {
			in.Num = 1
		} else {
			r.mistake("num", fmt.Sprintf("is missing: give the number of invocations of each power value, %d at least", MinNum))
		}
	}
	in.PowerValues = r.powers(d.PowerValues)
	if most := room(len(in.PowerValues)); len(data) > most {
		r.mistake("powerValues", fmt.Sprintf("has %d values, beside which the input may have %d bytes, and it has %d: put the payload into S3 and name it with payloadS3", len(in.PowerValues), most, len(data)))
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
			in.Warnings = append(in.Warnings, "discardTopBottom has no effect with onlyColdStarts: nothing is trimmed")
		}
		in.DiscardTopBottom = 0
	}
	in.SleepMs = r.integer(&in, "sleepBetweenRunsMs", 0, 0, maxSleepMs)
	in.DisablePayloadLogs = r.boolean("disablePayloadLogs")
	in.IncludeResults = r.boolean("includeOutputResults")
	in.AllowedExceptions = r.texts("allowedExceptions")
	if in.Role = r.text("assumeRoleARN", ""); in.Role != "" && !role.MatchString(in.Role) {
		r.mistake("assumeRoleARN", fmt.Sprintf("%q is not the ARN of a role: use arn:aws:iam::ACCOUNT:role/NAME", measure.OneLine(in.Role, 100)))
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

var aliasName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
var role = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`)
var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

// combinations checks fields that depend on each other.
func (r *reader) combinations(in *Input) {
	if in.PayloadS3 != "" {
		if _, _, err := splitS3(in.PayloadS3); err != nil {
			r.mistake("payloadS3", err.Error())
		}
	}
	for _, f := range []struct{ name, value string }{{"preProcessorARN", in.PreProcessor}, {"postProcessorARN", in.PostProcessor}} {
		if f.value != "" {
			r.function(f.name, f.value)
		}
	}
	if a := in.AutoOptimizeAlias; a != "" && (!aliasName.MatchString(a) || onlyDigits.MatchString(a)) {
		r.mistake("autoOptimizeAlias", fmt.Sprintf("%q is not a valid alias name: use letters, digits, - and _, and at least one non-digit", a))
	}
	if in.Num > 0 && !in.DryRun && in.PayloadS3 == "" && !r.failed("payload") {
		if err := in.Payloads.check(in.Num); err != nil {
			r.mistake("payload", err.Error())
		}
	}
	for _, w := range []struct {
		when bool
		text string
	}{
		{r.has("payload") && in.PayloadS3 != "", "payload has no effect beside payloadS3"},
		{in.AutoOptimizeAlias != "" && !in.AutoOptimize, "autoOptimizeAlias has no effect without autoOptimize"},
		{r.has("balancedWeight") && in.Strategy != Balanced, "balancedWeight has no effect without strategy balanced"},
		{in.SleepMs > 0 && in.Parallel, "sleepBetweenRunsMs has no effect with parallelInvocation"},
		{in.Parallel && in.OnlyColdStarts, "parallelInvocation has no effect with onlyColdStarts: each cold start has a version of its own, published one after the other"},
		{in.DryRun && in.AutoOptimize, "autoOptimize has no effect with dryRun"},
	} {
		if w.when {
			in.Warnings = append(in.Warnings, w.text)
		}
	}
}

// arn matches the ARN of a function: partition, region, account, name, qualifier.
var arn = regexp.MustCompile(`^arn:(aws[a-z-]*):lambda:([a-z]{2,8}(?:-[a-z]+)+-[0-9]+):([0-9]{12}):function:([A-Za-z0-9_-]{1,140})(?::(\$LATEST|[A-Za-z0-9_-]+))?$`)

// name matches the name of a function, or a partial ARN, with or without a qualifier.
var name = regexp.MustCompile(`^(?:[0-9]{12}:function:)?([A-Za-z0-9_-]{1,140})(?::(\$LATEST|[A-Za-z0-9_-]+))?$`)

// function splits the ARN or name of a function.
func (r *reader) function(field, text string) (function, qualifier, region string) {
	if m := arn.FindStringSubmatch(text); m != nil {
		function, _ = strings.CutSuffix(text, ":"+m[5])
		return function, m[5], m[2]
	}
	if m := name.FindStringSubmatch(text); m != nil {
		return m[1], m[2], ""
	}
	if text != "" {
		r.mistake(field, fmt.Sprintf("%q is neither the ARN of a Lambda function nor a function's name: use arn:aws:lambda:REGION:ACCOUNT:function:NAME", measure.OneLine(text, 100)))
	}
	return "", "", ""
}

// AllPowerValues returns what "ALL" stands for: 128 to 3008 MB in steps of 64.
func AllPowerValues() []int {
	var out []int
	for p := arm.MinMemoryMB; p <= allPowersMax; p += 64 {
		out = append(out, p)
	}
	return out
}

// powers reads powerValues.
func (r *reader) powers(defaults []int) []int {
	const field = "powerValues"
	if len(defaults) == 0 {
		defaults = DefaultPowerValues()
	}
	value := r.values[field]
	list, isList := value.([]any)
	switch {
	case value == "ALL":
		return AllPowerValues()
	case value == nil || value == "" || isList && len(list) == 0:
		return slices.Clone(defaults)
	case !isList:
		r.mistake(field, fmt.Sprintf("is %s: give a list of memory sizes in MB, or \"ALL\"", show(value)))
	case len(list) > maxPowers:
		r.mistake(field, fmt.Sprintf("has %d values: give 1 to %d", len(list), maxPowers))
		list = nil
	}
	var out []int
	for _, x := range list {
		n, ok := whole(x)
		if !ok || n < arm.MinMemoryMB || n > arm.MaxMemoryMB {
			r.mistake(field, fmt.Sprintf("holds %s: each is a whole number of MB from %d to %d",
				show(x), arm.MinMemoryMB, arm.MaxMemoryMB))
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
