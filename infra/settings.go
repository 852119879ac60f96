package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/handlers/geo"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/packages/language"
)

// settings is the context, read and checked. It says what to put into the stack.
type settings struct {
	Experiment   string
	Arms         []selectedArm       // in the order of reports; if there are none, the experiment measures Packages
	Packages     []string            // the user's own folders or ZIP files, as Lambda takes them
	Runtime      string              // Lambda's name of the runtime of Packages; "" means Pair's default
	Functions    []geo.Function      // for experiment languages
	Languages    []language.Language // for experiment languages, and for the lever code
	Kinds        []arm.Package       // for experiment languages
	Levers       []arm.Lever         // for experiment levers
	Sizes        []string            // levels of the lever size
	Handler      string              // a folder below handlers/; for Packages, Lambda's handler: "" means Pair's default
	Architecture arm.Architecture
	MemorySizes  []int            // MB; at least one, all different
	Observe      []dashboard.Part // what CloudWatch shows; may be empty
	Tuning       bool             // whether there is a state machine that tunes the functions
	options

	tuningCode awslambda.Code // the tuning's program; if it is nil, the program is built
}

// options are additional options of every function of the experiment. All are off by default; docs/options.md says
// what each costs.
type options struct {
	Tracing     awslambda.Tracing         // "" for Lambda's default
	Provisioned *bashfunction.Provisioned // nil: none
	Reserved    int                       // 0: none
	VPC         string                    // "new", an ID, or "" for none
	Subnets     []string                  // in the VPC that has this ID
	URL         bool
	Logs        bool   // one log group for all functions
	KMS         string // "new", a key's ARN, or "" for Lambda's own key
	DLQ         bool
	TmpMB       int // 0: Lambda's 512
}

// setting is one of our context keys, with a function that takes its values.
type setting struct {
	key string
	set func(text []string) error
}

// all returns the keys with their functions. The package comment describes them for users.
func (s *settings) all() []setting {
	return []setting{
		{"experiment", one(&s.Experiment, experimentName)},
		{"arms", some(&s.Arms, selectArms)},
		{"architecture", one(&s.Architecture, arm.ParseArchitecture)},
		{"memory", some(&s.MemorySizes, each(wholeMB(arm.MinMemoryMB, arm.MaxMemoryMB)))},
		{"handler", one(&s.Handler, like(``, ""))},
		{"observe", some(&s.Observe, observe)},
		{"tuning", one(&s.Tuning, among(map[string]bool{"on": true, "off": false}))},
		{"packages", some(&s.Packages, named)},
		{"runtime", one(&s.Runtime, like(`^[a-z]+[a-z0-9.]*$`, "use Lambda's name of a runtime, such as nodejs22.x"))},
		{"functions", some(&s.Functions, geoFunctions)},
		{"languages", some(&s.Languages, languagesNamed)},
		{"package", some(&s.Kinds, kindsNamed)},
		{"levers", some(&s.Levers, leversNamed)},
		{"sizes", some(&s.Sizes, leverSizes)},
		{"tracing", one(&s.Tracing, among(map[string]awslambda.Tracing{
			"active": awslambda.Tracing_ACTIVE, "passthrough": awslambda.Tracing_PASS_THROUGH,
		}))},
		{"provisioned", one(&s.Provisioned, provisioned)},
		{"reserved", one(&s.Reserved, whole(1, math.MaxInt32, "use a whole number, 1 at least"))},
		{"vpc", one(&s.VPC, like(`^(new|vpc-[0-9a-f]{8,17})$`, "use new, or the ID of a VPC such as vpc-0123456789abcdef0"))},
		{"subnets", some(&s.Subnets, each(like(`^subnet-[0-9a-f]{8,17}$`, "use IDs such as subnet-0123456789abcdef0")))},
		{"url", one(&s.URL, among(map[string]bool{"iam": true}))},
		{"logs", one(&s.Logs, among(map[string]bool{"experiment": true}))},
		{"kms", one(&s.KMS, like(`^(new|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$`,
			"use new, or the ARN of a key such as arn:aws:kms:REGION:ACCOUNT:key/ID"))},
		{"dlq", one(&s.DLQ, among(map[string]bool{"sqs": true}))},
		{"tmp", one(&s.TmpMB, wholeMB(arm.MinTmpMB, arm.MaxTmpMB))},
	}
}

// readSettings reads the app's whole context. A value from -c or cdk.json is text, a number, or a list of those.
func readSettings(context map[string]any) (settings, error) {
	s := settings{Architecture: arm.ARM64, MemorySizes: []int{1024}, Observe: dashboard.DefaultParts(), Tuning: true}
	all := s.all()
	if err := knownKeys(context, all); err != nil {
		return s, err
	}
	for _, given := range all {
		value, is := context[given.key]
		if !is {
			continue
		}
		texts, err := textsOf(value)
		if err != nil {
			return s, fmt.Errorf("-c %s: %w", given.key, err)
		}
		if err := given.set(texts); err != nil {
			return s, fmt.Errorf("-c %s=%s: %w", given.key, strings.Join(texts, ","), err)
		}
	}
	return s, cmp.Or(s.validate(), s.complete())
}

// knownKeys refuses unknown keys, which are probably typing errors: a setting must not be ignored silently. Keys of
// the CDK and of construct libraries have a colon, a slash or an @. Our keys, and their misspellings, do not.
func knownKeys(context map[string]any, all []setting) error {
	keys := list.Map(all, func(s setting) string { return s.key })
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !strings.ContainsAny(key, ":/@") && !slices.Contains(keys, key) {
			return fmt.Errorf("-c %s=...: unknown context key: use %s", key, strings.Join(keys, ", "))
		}
	}
	return nil
}

// textsOf splits a context value at its commas. In cdk.json it may be a list.
func textsOf(value any) (texts []string, err error) {
	items, isList := value.([]any)
	if !isList {
		items = []any{value}
	}
	for _, item := range items {
		switch number := item.(type) {
		case string:
		case float64: // fmt.Sprint would write 20261121 as 2.0261121e+07
			item = strconv.FormatFloat(number, 'f', -1, 64)
		default:
			return nil, fmt.Errorf("the value is %v: use text, a number, or a list of these", value)
		}
		for text := range strings.SplitSeq(fmt.Sprint(item), ",") {
			if text = strings.TrimSpace(text); text == "" {
				return nil, errors.New("a value is empty: give one, or leave the key out for its default")
			}
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// some sets a value from any number of texts.
func some[T any](to *T, parse func(text []string) (T, error)) func([]string) error {
	return func(text []string) (err error) { *to, err = parse(text); return err }
}

// one sets a value from a single text.
func one[T any](to *T, parse func(text string) (T, error)) func([]string) error {
	return some(to, func(text []string) (value T, err error) {
		if len(text) != 1 {
			return value, errors.New("it takes one value: synth once for each")
		}
		return parse(text[0])
	})
}

// each parses every text by itself, and drops repeated values.
func each[T comparable](parse func(string) (T, error)) func([]string) ([]T, error) {
	return func(texts []string) (values []T, err error) {
		for _, text := range texts {
			value, err := parse(text)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", text, err)
			}
			values = list.Add(values, value)
		}
		return values, nil
	}
}

// like accepts text that matches a form. For other text it returns advice as the error.
func like(form, advice string) func(string) (string, error) {
	return func(t string) (string, error) {
		if !regexp.MustCompile(form).MatchString(t) {
			return "", errors.New(advice)
		}
		return t, nil
	}
}

// among accepts one of the words and returns what it stands for.
func among[T any](choices map[string]T) func(string) (T, error) {
	return func(word string) (T, error) {
		chosen, ok := choices[word]
		if !ok {
			return chosen, fmt.Errorf("use %s, or leave it out", strings.Join(slices.Sorted(maps.Keys(choices)), " or "))
		}
		return chosen, nil
	}
}

// whole accepts a whole number within bounds.
func whole(least, most int, advice string) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, errors.New(advice)
		}
		return n, nil
	}
}

func wholeMB(least, most int) func(string) (int, error) {
	return whole(least, most, fmt.Sprintf("use whole MB from %d to %d", least, most))
}

func provisioned(text string) (*bashfunction.Provisioned, error) {
	const form = "use a whole number such as 2, or a range such as 2-10"
	low, high, isRange := strings.Cut(text, "-")
	least, err := whole(1, math.MaxInt32, form)(low)
	most := least
	if err == nil && isRange {
		most, err = whole(least, math.MaxInt32, form)(high)
	}
	return &bashfunction.Provisioned{Min: jsii.Number(least), Max: jsii.Number(most)}, err
}

// observe accepts parts of the dashboard, or the word none.
func observe(names []string) ([]dashboard.Part, error) {
	if slices.Equal(names, []string{"none"}) {
		return []dashboard.Part{}, nil
	}
	parts, err := chosen(dashboard.Parts(), func(p dashboard.Part) string { return string(p) })(names)
	if err != nil {
		return nil, fmt.Errorf("%w, or just none", err)
	}
	return parts, nil
}

// chosen accepts names of values, and returns these values in the order of all.
func chosen[T any](all []T, name func(T) string) func(names []string) ([]T, error) {
	return func(names []string) (out []T, err error) {
		known := list.Map(all, name)
		for _, n := range names {
			if !slices.Contains(known, n) {
				return nil, fmt.Errorf("there is no %q: use %s", n, strings.Join(known, ", "))
			}
		}
		return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !slices.Contains(names, name(one)) }), nil
	}
}

// Values that are chosen by their names.
var (
	geoFunctions   = chosen(geo.Functions(), func(f geo.Function) string { return f.Name })
	languagesNamed = chosen(language.All(), func(l language.Language) string { return l.Name })
	leversNamed    = chosen(arm.Levers(), func(l arm.Lever) string { return l.Name })
	kindsNamed     = chosen([]arm.Package{arm.ZIP, arm.Image}, func(p arm.Package) string { return string(p) })
)

// handlersDir is the folder of the handlers, below the working folder.
const handlersDir = "handlers"

// handlerFolder accepts the name of a folder below handlers/, but no path.
func handlerFolder(name string) error {
	entries, err := os.ReadDir(handlersDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listing handlers: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() })
	_, err = chosen(entries, fs.DirEntry.Name)([]string{name})
	return err
}

// plainName keeps Twinstart-<name> a valid name of a stack: letters, digits and single hyphens.
// maxExperimentName leaves room for what the CDK appends.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

const maxExperimentName = 64 // bytes

func experimentName(name string) (string, error) {
	if len(name) > maxExperimentName || !plainName.MatchString(name) {
		return "", fmt.Errorf("use up to %d letters, digits and single hyphens, as in night-run-2", maxExperimentName)
	}
	return name, nil
}
