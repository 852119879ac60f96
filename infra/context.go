package main

import (
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

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// settings is the context, read and checked: what to put into the stack.
type settings struct {
	Experiment   string
	Arms         []selectedArm // at least one, in the order of reports
	Architecture arm.Architecture
	MemorySizes  []int // MB; at least one, no two the same
	Handler      string
	Observe      []dashboard.Part // what CloudWatch is to show; none is a choice too
	Tuning       bool             // whether there is a state machine that tunes the functions
	Options      options
	Own          own

	tuningCode awslambda.Code // nil: the steps' program is built
}

// The context keys that are ours, with what each takes.
const (
	keyExperiment   = "experiment"
	keyArms         = "arms"
	keyArchitecture = "architecture"
	keyMemory       = "memory"
	keyHandler      = "handler"
	keyObserve      = "observe"
	keyTuning       = "tuning"
	keyPackages     = "packages"
	keyRuntime      = "runtime"
)

var keys = append([]string{keyExperiment, keyArms, keyArchitecture, keyMemory, keyHandler, keyObserve, keyTuning, keyPackages, keyRuntime}, optionKeys...)

const handlersDir = "handlers"

// plainName keeps Twinstart-<name> a stack's name: letters, digits and single hyphens. The length leaves room for what CDK appends.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

const maxExperimentName = 64 // bytes

// readSettings takes the app's whole context. Values are what -c and cdk.json give: text, numbers or lists of those.
func readSettings(context map[string]any) (settings, error) {
	s := settings{Experiment: "packaging", Architecture: arm.ARM64, MemorySizes: []int{1024}, Handler: "echo", Observe: dashboard.DefaultParts(), Tuning: true}
	if err := knownKeys(context); err != nil {
		return s, err
	}
	texts := map[string][]string{}
	for _, key := range keys {
		value, given := context[key]
		if !given {
			continue
		}
		list, err := list(value)
		if err != nil {
			return s, fmt.Errorf("-c %s: %w", key, err)
		}
		texts[key] = list
	}
	var patterns []string
	if own := texts[keyPackages]; own != nil {
		s.Experiment, s.Own.Packages = ownName, own
	}
	for _, field := range []struct {
		key string
		set func(text []string) error
	}{
		{keyExperiment, one(s.setExperiment)},
		{keyArms, func(text []string) error { patterns = text; return nil }},
		{keyArchitecture, one(func(name string) (err error) { s.Architecture, err = arm.ParseArchitecture(name); return })},
		{keyMemory, func(text []string) (err error) { s.MemorySizes, err = memorySizes(text); return }},
		{keyObserve, func(text []string) (err error) { s.Observe, err = observe(text); return }},
		{keyHandler, one(s.setHandler)},
		{keyRuntime, one(s.setRuntime)},
		{keyTuning, one(func(choice string) (err error) {
			s.Tuning, err = oneOf(choice, map[string]bool{"on": true, "off": false})
			return
		})},
	} {
		if text, given := texts[field.key]; given {
			if err := field.set(text); err != nil {
				return s, fmt.Errorf("-c %s=%s: %w", field.key, strings.Join(text, ","), err)
			}
		}
	}
	for _, key := range optionKeys {
		if text, given := texts[key]; given {
			if err := s.Options.set(key, text); err != nil {
				return s, fmt.Errorf("-c %s=%s: %w", key, strings.Join(text, ","), err)
			}
		}
	}
	if err := s.Options.validate(); err != nil {
		return s, err
	}
	if err := s.Own.validate(s.Options); err != nil {
		return s, err
	}
	if len(s.Own.Packages) > 0 {
		if patterns != nil {
			return s, fmt.Errorf("-c %s are of our bootstraps: leave it out with -c %s", keyArms, keyPackages)
		}
		return s, nil
	}
	var err error
	if s.Arms, err = selectArms(patterns); err != nil {
		return s, fmt.Errorf("-c %s=%s: %w", keyArms, strings.Join(patterns, ","), err)
	}
	return s, nil
}

// knownKeys refuses what is probably a slip of the keyboard: an experiment run with a setting silently ignored is worse than none.
// Keys of CDK and of construct libraries hold a colon, a slash or an @; ours, and what a user mistypes for them, are plain words.
func knownKeys(context map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !strings.ContainsAny(key, ":/@") && !slices.Contains(keys, key) {
			return fmt.Errorf("-c %s=...: unknown context key: use %s", key, strings.Join(keys, ", "))
		}
	}
	return nil
}

// list splits a context value at its commas; a list in cdk.json is one already.
func list(value any) ([]string, error) {
	var texts []string
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

func single(text []string) (string, error) {
	if len(text) != 1 {
		return "", errors.New("it takes one value: synth once for each")
	}
	return text[0], nil
}

// one sets what takes one value.
func one(set func(string) error) func([]string) error {
	return func(text []string) error {
		value, err := single(text)
		if err == nil {
			err = set(value)
		}
		return err
	}
}

func (s *settings) setExperiment(name string) error {
	if len(name) > maxExperimentName || !plainName.MatchString(name) {
		return fmt.Errorf("use up to %d letters, digits and single hyphens, as in night-run-2", maxExperimentName)
	}
	s.Experiment = name
	return nil
}

func memorySizes(text []string) ([]int, error) {
	var sizes []int
	for _, t := range text {
		size, err := strconv.Atoi(t)
		if err != nil || size < arm.MinMemoryMB || size > arm.MaxMemoryMB {
			return nil, fmt.Errorf("%q is no memory size: use whole MB from %d to %d", t, arm.MinMemoryMB, arm.MaxMemoryMB)
		}
		if !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	return sizes, nil
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

// setHandler takes the name of a folder below handlers/, never a path, or what Lambda calls in packages of one's own.
func (s *settings) setHandler(name string) error {
	if len(s.Own.Packages) > 0 {
		s.Own.Handler = name
		return nil
	}
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
	s.Handler = name
	return nil
}

func (s *settings) setRuntime(name string) error {
	if !runtimeName.MatchString(name) {
		return errors.New("use Lambda's name of a runtime, such as provided.al2023 or nodejs22.x")
	}
	s.Own.Runtime = name
	return nil
}
