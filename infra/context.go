package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/handlers/geo"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/packages/language"
)

// settings is the context, read and checked: it says what to put into the stack.
type settings struct {
	Experiment   string
	Arms         []selectedArm  // in the order of reports; if there are none, the experiment measures Packages
	Packages     []string       // the user's own folders or ZIP files, as Lambda takes them
	Runtime      string         // Lambda's name of the runtime of Packages; "" means Pair's default
	Functions    []geo.Function // of the experiment of languages, as are the next two
	Languages    []language.Language
	Kinds        []arm.Package
	Levers       []arm.Lever // of the experiment of levers
	Sizes        []string    // of its lever size
	Handler      string      // a folder below handlers/; for Packages what Lambda calls, "" means Pair's default
	Architecture arm.Architecture
	MemorySizes  []int            // MB; at least one, all different
	Observe      []dashboard.Part // what CloudWatch shows; may be empty
	Tuning       bool             // whether there is a state machine that tunes the functions
	options

	tuningCode awslambda.Code // nil means that the steps' program is built
}

// options are additional options of every function of the experiment. All are off by default; docs/options.md says
// what each costs.
type options struct {
	Tracing     awslambda.Tracing         // "" for Lambda's default
	Provisioned *bashfunction.Provisioned // nil: none
	Reserved    int                       // 0: none
	VPC         string                    // "new", an ID, "" for none
	Subnets     []string                  // of the VPC that VPC names
	URL         bool
	Logs        bool   // one log group for all functions
	KMS         string // "new", a key's ARN, "" for Lambda's own
	DLQ         bool
	TmpMB       int // 0: Lambda's 512
}

const handlersDir = "handlers"

// plainName keeps Twinstart-<name> a valid name of a stack: letters, digits and single hyphens. The length leaves
// room for what the CDK appends.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

const maxExperimentName = 64 // bytes

// setting is one of our context keys, with a function that takes its values.
type setting struct {
	key string
	set func(text []string) error
}

// all returns the keys, with what each takes. The package comment describes them for users.
func (s *settings) all() []setting {
	return []setting{
		{"experiment", one(&s.Experiment, experimentName)},
		{"arms", some(&s.Arms, selectArms)},
		{"architecture", one(&s.Architecture, arm.ParseArchitecture)},
		{"memory", some(&s.MemorySizes, memorySizes)},
		{"handler", one(&s.Handler, text)},
		{"observe", some(&s.Observe, observe)},
		{"tuning", one(&s.Tuning, among(map[string]bool{"on": true, "off": false}))},
		{"packages", some(&s.Packages, named)},
		{"runtime", one(&s.Runtime, like(`^[a-z]+[a-z0-9.]*$`, "use Lambda's name of a runtime, such as provided.al2023 or nodejs22.x"))},
		{"functions", some(&s.Functions, geoFunctions)},
		{"languages", some(&s.Languages, languagesNamed)},
		{"package", some(&s.Kinds, kindsNamed)},
		{"levers", some(&s.Levers, leversNamed)},
		{"sizes", some(&s.Sizes, leverSizes)},
		{"tracing", one(&s.Tracing, among(map[string]awslambda.Tracing{"active": awslambda.Tracing_ACTIVE, "passthrough": awslambda.Tracing_PASS_THROUGH}))},
		{"provisioned", one(&s.Provisioned, provisioned)},
		{"reserved", one(&s.Reserved, func(t string) (int, error) { return whole(t, 1, 0, "use a whole number, 1 at least") })},
		{"vpc", one(&s.VPC, like(`^(new|vpc-[0-9a-f]{8,17})$`, "use new, or the ID of a VPC such as vpc-0123456789abcdef0"))},
		{"subnets", some(&s.Subnets, subnets)},
		{"url", one(&s.URL, among(map[string]bool{"iam": true}))},
		{"logs", one(&s.Logs, among(map[string]bool{"experiment": true}))},
		{"kms", one(&s.KMS, like(`^(new|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$`,
			"use new, or the ARN of a key such as arn:aws:kms:REGION:ACCOUNT:key/ID"))},
		{"dlq", one(&s.DLQ, among(map[string]bool{"sqs": true}))},
		{"tmp", one(&s.TmpMB, func(t string) (int, error) {
			return whole(t, arm.MinTmpMB, arm.MaxTmpMB, fmt.Sprintf("use whole MB from %d to %d", arm.MinTmpMB, arm.MaxTmpMB))
		})},
	}
}

// readSettings reads the app's whole context. A value is what -c or cdk.json gives: text, a number, or a list of
// those.
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

// snapStart reports whether the experiment is that of snapshots, which crosses every arm with what its environments
// start from.
func (s *settings) snapStart() bool { return s.Experiment == arm.SnapStart }

// levels are what arms start from, "" where that is no factor.
func (s *settings) levels() []string {
	switch {
	case !s.snapStart():
		return []string{""}
	case len(s.Packages) > 0: // whose code knows how to prime itself, if it does
		return []string{arm.SnapStartOff, arm.Unprimed}
	}
	return []string{arm.SnapStartOff, arm.Unprimed, arm.Primed}
}

// complete sets defaults, which depend on whose packages are measured.
func (s *settings) complete() error {
	switch {
	case !s.snapStart():
	case s.Provisioned != nil:
		return errors.New("-c experiment=snapstart and -c provisioned: Lambda refuses SnapStart with provisioned concurrency: leave -c provisioned out, or name the experiment otherwise")
	case s.TmpMB > arm.MinTmpMB:
		return fmt.Errorf("-c experiment=snapstart and -c tmp=%d: Lambda takes no snapshot with more than %d MB of /tmp: leave -c tmp out, or name the experiment otherwise", s.TmpMB, arm.MinTmpMB)
	}
	if err := s.completeLanguages(); err != nil || s.Experiment == languagesName {
		return err
	}
	if err := s.completeLevers(); err != nil {
		return err
	}
	if len(s.Packages) > 0 {
		s.Experiment = cmp.Or(s.Experiment, "own")
		switch {
		case s.Provisioned != nil || s.URL:
			return errors.New("-c packages measures functions by Invoke, on demand: leave -c provisioned and -c url out")
		case s.Arms != nil:
			return errors.New("-c arms are of our bootstraps: leave it out with -c packages")
		}
		return nil
	}
	s.Experiment = cmp.Or(s.Experiment, "packaging")
	switch {
	case s.Runtime != "":
		return errors.New("-c runtime is for packages of your own: add -c packages=function.zip")
	case s.Arms == nil && s.snapStart():
		s.Arms, _ = selectArms([]string{"bashtcp", "nethttp", "lambdago", "rawsyscall"}) // they are there
	case s.Arms == nil:
		s.Arms = factorial()
	}
	if s.Handler == "" {
		s.Handler = cmp.Or(map[string]string{arm.SnapStart: "primed", "levers": leversHandler, "sizes": leversHandler}[s.Experiment], "echo")
	} else if err := handlerFolder(s.Handler); err != nil {
		return fmt.Errorf("-c handler=%s: %w", s.Handler, err)
	}
	return nil
}

// validate refuses options that contradict each other, before anything is built.
func (o *settings) validate() error {
	p := o.Provisioned
	switch {
	case p != nil && o.Reserved > 0 && *p.Max > float64(o.Reserved):
		bounds := fmt.Sprint(*p.Min)
		if *p.Max > *p.Min {
			bounds = fmt.Sprintf("%v-%v", *p.Min, *p.Max)
		}
		return fmt.Errorf("-c provisioned=%s and -c reserved=%d: more environments provisioned than the function may have: raise reserved, or provision fewer", bounds, o.Reserved)
	case o.Logs && slices.Contains(o.Observe, dashboard.Metrics):
		return errors.New("-c logs=experiment and -c observe=metrics: events of a shared log group do not say which arm they are of, and metrics by arm are made of events: leave one out")
	case o.VPC == "" && o.Subnets != nil:
		return errors.New("-c subnets: subnets were given without a VPC: add -c vpc=vpc-ID")
	case o.VPC == "new" && o.Subnets != nil:
		return errors.New("-c vpc=new brings subnets of its own: leave -c subnets out, or name the VPC that has them")
	case o.VPC != "" && o.VPC != "new" && o.Subnets == nil:
		return fmt.Errorf("-c vpc=%s: in which of its subnets? add -c subnets=subnet-ID,subnet-ID", o.VPC)
	}
	return nil
}

// knownKeys refuses unknown keys, which are probably typing errors: a setting must not be ignored silently. Keys of
// the CDK and of construct libraries have a colon, a slash or an @. Our keys, and their misspellings, do not.
func knownKeys(context map[string]any, all []setting) error {
	var keys []string
	for _, s := range all {
		keys = append(keys, s.key)
	}
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !strings.ContainsAny(key, ":/@") && !slices.Contains(keys, key) {
			return fmt.Errorf("-c %s=...: unknown context key: use %s", key, strings.Join(keys, ", "))
		}
	}
	return nil
}

// textsOf splits a context value at its commas. In cdk.json it may be a list already.
func textsOf(value any) (texts []string, err error) {
	switch value := value.(type) {
	case string:
		texts = strings.Split(value, ",")
	case float64:
		texts = []string{strconv.FormatFloat(value, 'f', -1, 64)}
	case []any:
		for _, item := range value {
			inner, err := textsOf(item)
			if err != nil {
				return nil, err
			}
			texts = append(texts, inner...)
		}
	default:
		return nil, fmt.Errorf("%v is neither text nor a number nor a list of those", value)
	}
	for i := range texts {
		texts[i] = strings.TrimSpace(texts[i])
		if texts[i] == "" {
			return nil, errors.New("a value is empty: give one, or leave the key out for its default")
		}
	}
	return texts, nil
}

// some sets a value from any number of texts, one from a single text.
func some[T any](to *T, parse func(text []string) (T, error)) func([]string) error {
	return func(text []string) (err error) { *to, err = parse(text); return err }
}

func one[T any](to *T, parse func(text string) (T, error)) func([]string) error {
	return some(to, func(text []string) (value T, err error) {
		if len(text) != 1 {
			return value, errors.New("it takes one value: synth once for each")
		}
		return parse(text[0])
	})
}

func text(t string) (string, error) { return t, nil }

// like accepts text of a form.
func like(form, otherwise string) func(string) (string, error) {
	return func(t string) (string, error) {
		if !regexp.MustCompile(form).MatchString(t) {
			return "", errors.New(otherwise)
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

// whole accepts a whole number within bounds; most 0 means no upper bound.
func whole(t string, least, most int, otherwise string) (int, error) {
	n, err := strconv.Atoi(t)
	if err != nil || n < least || most > 0 && n > most {
		return 0, errors.New(otherwise)
	}
	return n, nil
}

func experimentName(name string) (string, error) {
	if len(name) > maxExperimentName || !plainName.MatchString(name) {
		return "", fmt.Errorf("use up to %d letters, digits and single hyphens, as in night-run-2", maxExperimentName)
	}
	return name, nil
}

func memorySizes(text []string) (sizes []int, err error) {
	for _, t := range text {
		size, err := whole(t, arm.MinMemoryMB, arm.MaxMemoryMB, fmt.Sprintf("%q is not a memory size: use whole MB from %d to %d", t, arm.MinMemoryMB, arm.MaxMemoryMB))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	return sizes, nil
}

func provisioned(text string) (*bashfunction.Provisioned, error) {
	const form = "use a whole number such as 2, or a range such as 2-10"
	low, high, isRange := strings.Cut(text, "-")
	least, err := whole(low, 1, 0, form)
	most := least
	if err == nil && isRange {
		most, err = whole(high, least, 0, form)
	}
	return &bashfunction.Provisioned{Min: jsii.Number(least), Max: jsii.Number(most)}, err
}

func subnets(ids []string) ([]string, error) {
	for _, id := range ids {
		if _, err := like(`^subnet-[0-9a-f]{8,17}$`, fmt.Sprintf("%q is not the ID of a subnet: it looks like subnet-0123456789abcdef0", id))(id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// observe accepts parts of the dashboard, or none.
func observe(names []string) ([]dashboard.Part, error) {
	if slices.Equal(names, []string{"none"}) {
		return []dashboard.Part{}, nil
	}
	parts, err := chosen(dashboard.Parts(), func(p dashboard.Part) string { return string(p) }, names)
	if err != nil {
		return nil, fmt.Errorf("%w, or just none", err)
	}
	return parts, nil
}
