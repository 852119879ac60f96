package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// settings is the context, read and checked: what to put into the stack.
type settings struct {
	Experiment   string
	Arms         []selectedArm // in the order of reports; none: the experiment is of Packages
	Packages     []string      // of somebody's own: folders or ZIP files in Lambda's form
	Runtime      string        // of the ZIPs of Packages, as Lambda calls it; "" for Pair's
	Handler      string        // a folder below handlers/; of Packages what Lambda calls, "" for Pair's
	Architecture arm.Architecture
	MemorySizes  []int            // MB; at least one, no two the same
	Observe      []dashboard.Part // what CloudWatch is to show; none is a choice too
	Tuning       bool             // whether there is a state machine that tunes the functions
	options

	tuningCode awslambda.Code // nil: the steps' program is built
}

// options is what every function of the experiment has beyond the ordinary. All are off unless given; docs/options.md names the cost of
// each.
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

// plainName keeps Twinstart-<name> a stack's name: letters, digits and single hyphens. The length leaves room for what CDK appends.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

const maxExperimentName = 64 // bytes

// setting is a context key that is ours, with what takes its values.
type setting struct {
	key string
	set func(text []string) error
}

// all are the keys with what each takes, which main.go says in the user's words.
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

// readSettings takes the app's whole context. Values are what -c and cdk.json give: text, numbers or lists of those.
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
		texts, err := list(value)
		if err != nil {
			return s, fmt.Errorf("-c %s: %w", given.key, err)
		}
		if err := given.set(texts); err != nil {
			return s, fmt.Errorf("-c %s=%s: %w", given.key, strings.Join(texts, ","), err)
		}
	}
	return s, cmp.Or(s.validate(), s.complete())
}

// complete gives what was left out its default, which depends on whose packages they are.
func (s *settings) complete() error {
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
	case s.Arms == nil:
		s.Arms = factorial()
	}
	if s.Handler == "" {
		s.Handler = "echo"
	} else if err := handlerFolder(s.Handler); err != nil {
		return fmt.Errorf("-c handler=%s: %w", s.Handler, err)
	}
	return nil
}

// validate refuses what cannot be together, before anything is built.
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

// knownKeys refuses what is probably a slip of the keyboard: an experiment run with a setting silently ignored is worse than none.
// Keys of CDK and of construct libraries hold a colon, a slash or an @; ours, and what a user mistypes for them, are plain words.
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

// list splits a context value at its commas; a list in cdk.json is one already.
func list(value any) (texts []string, err error) {
	switch value := value.(type) {
	case string:
		texts = strings.Split(value, ",")
	case float64:
		texts = []string{strconv.FormatFloat(value, 'f', -1, 64)}
	case []any:
		for _, item := range value {
			inner, err := list(item)
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

// some sets what takes any number of values, one what takes a single one.
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

// like is text of a form.
func like(form, otherwise string) func(string) (string, error) {
	return func(t string) (string, error) {
		if !regexp.MustCompile(form).MatchString(t) {
			return "", errors.New(otherwise)
		}
		return t, nil
	}
}

// among is what a word stands for.
func among[T any](choices map[string]T) func(string) (T, error) {
	return func(word string) (T, error) {
		chosen, ok := choices[word]
		if !ok {
			return chosen, fmt.Errorf("use %s, or leave it out", strings.Join(slices.Sorted(maps.Keys(choices)), " or "))
		}
		return chosen, nil
	}
}

// whole is a number within bounds; most 0 is none.
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
		size, err := whole(t, arm.MinMemoryMB, arm.MaxMemoryMB, fmt.Sprintf("%q is no memory size: use whole MB from %d to %d", t, arm.MinMemoryMB, arm.MaxMemoryMB))
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
		if _, err := like(`^subnet-[0-9a-f]{8,17}$`, fmt.Sprintf("%q is no subnet's ID: it looks like subnet-0123456789abcdef0", id))(id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// observe takes parts of the dashboard, or none.
func observe(text []string) ([]dashboard.Part, error) {
	parts := []dashboard.Part{}
	if slices.Equal(text, []string{"none"}) {
		return parts, nil
	}
	for _, t := range text {
		part := dashboard.Part(t)
		if !slices.Contains(dashboard.Parts(), part) {
			return nil, fmt.Errorf("unknown value %q: use none, or any of %s", t, join(dashboard.Parts(), ", "))
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// join lists names of any kind of text.
func join[T ~string](names []T, separator string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, separator)
}

// handlerFolder takes the name of a folder below handlers/, never a path.
func handlerFolder(name string) error {
	entries, err := os.ReadDir(handlersDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listing handlers: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("there is no handler %s: use %s", filepath.Join(handlersDir, name), strings.Join(names, ", "))
	}
	return nil
}
