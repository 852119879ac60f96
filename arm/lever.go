package arm

import (
	"maps"
	"strings"
)

// Lever is a setting that guides tell people to change. The experiment of levers measures each of its levels against a
// baseline.
type Lever struct {
	Name    string
	Levels  []string
	Changes string // what differs from the baseline
	NoLab   string // why the lab cannot measure it; "" if it can
	Asked   bool   // measured only if -c levers names it, because it needs more resources than the others
}

// Levers lists all levers, in the order of reports. Infra and reports read this table, and docs/levers.md repeats it.
func Levers() []Lever {
	return []Lever{
		{Name: "memory", Levels: []string{"128", "256", "512", "1024", "1769", "3008"}, Changes: "MemorySize, MB"},
		{Name: "layers", Levels: []string{"package", "one", "five"},
			Changes: "5 MB of unread files: in the package, in one layer, in five"},
		{Name: "architecture", Levels: []string{string(ARM64), string(X8664)}, Changes: "the CPU"},
		{Name: "logs", Levels: []string{"text", "json"}, Changes: "LoggingConfig.LogFormat"},
		{Name: "environment", Levels: []string{"3kB"}, Changes: "30 further environment variables"},
		{Name: "extension", Levels: []string{"internal", "external"},
			Changes: "an extension that registers and waits: in the handler's process, or from a layer"},
		{Name: "provisioned", Levels: []string{"1", "10"},
			Changes: "environments that are initialized before their callers come; 10 under load only"},
		{Name: "tracked", Levels: []string{"10-100"}, NoLab: "the lab has no target tracking: --source aws", Asked: true,
			Changes: "provisioned environments of an alias, held at 70 % use; under load only"},
		{Name: "tracing", Levels: []string{"sampled", "unsampled"}, NoLab: "the lab has no X-Ray: --source aws",
			Changes: "TracingConfig.Mode Active; each call says itself whether X-Ray records it"},
		{Name: "vpc", Levels: []string{"isolated"}, NoLab: "the lab has no VPC: --source aws", Asked: true,
			Changes: "isolated subnets, with a gateway endpoint of DynamoDB"},
		{Name: Code, Levels: CodeHabits(""), Changes: "one habit of handlers/habits", Asked: true},
		{Name: "size", Levels: []string{"5", "10", "25", "50", "50-zeros", "10-code", "10-image", "50-image"},
			Changes: "so many unread MB: noise or zeros beside the code, in the program itself, in an image", Asked: true},
	}
}

// CodeHabits returns the levels of the lever code in a language, which are values of CodeVariable. Each makes
// handlers/habits do one thing that guides advise against. Only bundled does one more thing that they recommend. A
// language without habits has no levels. For "" it returns the levels of all languages.
func CodeHabits(language string) []string {
	return map[string][]string{
		"node":   {"inside", "eager", "reconnect", "fetched", "single", "cores", "bundled"},
		"python": {"inside", "eager", "reconnect", "fetched", "single", "cores", "source"},
		"bash":   {"inside", "eager", "fetched", "single", "cores", "forks"},
		"":       {"inside", "eager", "reconnect", "fetched", "single", "cores", "forks", "source", "bundled"},
	}[language]
}

// Code is the lever of CodeHabits, and CodeVariable the environment variable that selects one of them.
const (
	Code         = "code"
	CodeVariable = "TWINSTART_CODE"
)

// Override holds the changes that an arm makes to its function's configuration, in the update that forces its cold
// starts.
type Override struct {
	MemorySizeMB int               `json:"memorySizeMB,omitempty"`
	Layers       []string          `json:"layers,omitempty"`      // added: logical IDs in a template, ARNs in an update
	Environment  map[string]string `json:"environment,omitempty"` // added
	Tracing      string            `json:"tracing,omitempty"`     // Active or PassThrough
	Sampled      string            `json:"sampled,omitempty"`     // 1 or 0 in each call's trace header; "": no header
	LogFormat    string            `json:"logFormat,omitempty"`   // Text or JSON
	Provisioned  int               `json:"provisioned,omitempty"` // environments of a version that a run makes and deletes
}

// Variant is a further arm of a function.
type Variant struct {
	Lever string   `json:"lever"`
	Level string   `json:"level"`
	Set   Override `json:"set"`
}

// Keys of Identity.Levels: the lever and the level of an arm. The baseline and its null twin are levers without a
// level.
const (
	LeverFactor = "lever"
	LeverLevel  = "level"
	Baseline    = "baseline"
	Twin        = "twin"
)

// Pulled returns the identity of the arm that changes one lever: "rawsyscall/zip-memory-3008".
func (id Identity) Pulled(lever, level string) Identity {
	levels := map[string]string{}
	maps.Copy(levels, id.Levels)
	levels[LeverFactor] = lever
	delete(levels, LeverLevel)
	id.Variants, id.Levels = nil, levels
	if level != "" {
		id.Levels[LeverLevel] = level
	}
	if lever != Baseline {
		id.Arm = strings.TrimSuffix(id.Arm+"-"+lever+"-"+level, "-")
	}
	return id
}

// Arms returns the function's own identity and its variants' identities, and what each of them overrides.
func (id Identity) Arms() (arms []Identity, set []Override) {
	variants := id.Variants
	id.Variants = nil
	arms, set = []Identity{id}, []Override{{}}
	for _, v := range variants {
		one := id.Pulled(v.Lever, v.Level)
		if v.Set.MemorySizeMB > 0 {
			one.MemorySizeMB = v.Set.MemorySizeMB
		}
		arms, set = append(arms, one), append(set, v.Set)
	}
	return arms, set
}

// Only keeps the variants whose arms a pattern selects. hit reports whether a pattern selects any arm of the function,
// its own arm included.
func (id Identity) Only(patterns ...string) (_ Identity, hit bool, err error) {
	arms, _ := id.Arms()
	var kept []Variant
	for i, one := range arms {
		ok, err := MatchAny(patterns, one.Arm)
		if err != nil {
			return id, false, err
		}
		if hit = hit || ok; ok && i > 0 {
			kept = append(kept, id.Variants[i-1])
		}
	}
	id.Variants = kept
	return id, hit, nil
}

// LoadOnly returns the reason why an arm is measured under load only, or "".
func LoadOnly(id Identity, set Override) string {
	if id.Alias != "" || set.Provisioned > 1 {
		return "measured under load only: twinstart load"
	}
	return ""
}

// NotInLab returns the reason why the lab cannot measure an arm of the experiment of levers, or "".
func NotInLab(id Identity) string {
	for _, l := range Levers() {
		if l.Name == id.Levels[LeverFactor] {
			return l.NoLab
		}
	}
	return ""
}
