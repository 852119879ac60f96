package power

import (
	"fmt"
	"strings"
)

// Limits of an input.
const (
	MinNum       = 5
	MaxNum       = 1_000_000
	maxTrim      = 0.4
	maxInput     = 150 << 10 // bytes; input and progress together have 256 KiB from state to state
	maxPowers    = 128
	defaultTrim  = 0.2
	maxSleepMs   = 15 * 60 * 1000
	allPowersMax = 3008 // "ALL" is 128 to 3008 MB in steps of 64
)

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
	Function, Qualifier string // lambdaARN without its version or alias; Qualifier is that, or ""
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

	Warnings []string // about fields without an effect, and values that count as others
}

// InputError lists everything that is wrong with an input.
type InputError struct{ Mistakes []string }

func (e *InputError) Error() string {
	if len(e.Mistakes) == 1 {
		return "the input has a mistake: " + e.Mistakes[0]
	}
	return fmt.Sprintf("the input has %d mistakes: %s", len(e.Mistakes), strings.Join(e.Mistakes, "; "))
}

// mistaken returns an InputError about one mistake.
func mistaken(format string, args ...any) error {
	return &InputError{[]string{fmt.Sprintf(format, args...)}}
}

func (in *Input) warn(format string, args ...any) {
	in.Warnings = append(in.Warnings, fmt.Sprintf(format, args...))
}

// Defaults are set by the deployer or the command line.
type Defaults struct {
	PowerValues []int  // nil for DefaultPowerValues
	Function    string // in place of lambdaARN; "" means that lambdaARN is required
}
