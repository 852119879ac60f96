package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
)

// variantFlags are factors that functions are crossed with. If a factor has several levels, the level is added to the
// arm's name, except for memory, which reports add.
type variantFlags struct {
	Handler      []string `json:"handler" group:"what" placeholder:"NAME,..." help:"Handler (_HANDLER), handler.run by default; several are compared."`
	Runtime      []string `json:"runtime" group:"what" placeholder:"NAME,..." help:"Runtime of packages that are not images, provided.al2023 by default; a managed one, such as python3.13, also takes --handler, and twinstart doctor --prepare once."`
	Env          []string `json:"env" group:"what" sep:"none" placeholder:"NAME=VALUE" help:"Environment variable; given twice with other values, the values are compared."`
	Memory       []int    `json:"memory" group:"what" placeholder:"MB,..." help:"Memory size, 1024 by default; several are compared."`
	Bootstrap    []string `json:"bootstrap" group:"what" placeholder:"NAME,..." help:"Bootstrap that a handler's folder (with handler.sh) is packed with; several are compared."`
	Architecture string   `json:"architecture" group:"what" placeholder:"ARCH" help:"Architecture that a package is for, where it has no executable to say so, or must be: arm64 or x86_64."`
}

// defaultMemoryMB is the memory size of packages if none is given.
const defaultMemoryMB = 1024

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (v variantFlags) validate() error {
	for _, m := range v.Memory {
		if m < arm.MinMemoryMB || m > arm.MaxMemoryMB {
			return fmt.Errorf("--memory %d: Lambda has %d to %d MB", m, arm.MinMemoryMB, arm.MaxMemoryMB)
		}
	}
	if i := slices.IndexFunc(v.Runtime, assembly.Managed); i >= 0 && len(v.Handler) == 0 {
		return fmt.Errorf("--runtime %s needs --handler, such as index.handler, app.handler or example.Handler::handleRequest", v.Runtime[i])
	}
	for _, kv := range v.Env {
		if name, _, ok := strings.Cut(kv, "="); !ok || !variableName.MatchString(name) {
			return fmt.Errorf("--env %q: want NAME=VALUE", kv)
		}
	}
	if v.Architecture != "" {
		if _, err := arm.ParseArchitecture(v.Architecture); err != nil {
			return fmt.Errorf("reading --architecture: %w", err)
		}
	}
	return nil
}

// varied reports whether any factor is given.
func (v variantFlags) varied() bool {
	return len(v.Handler)+len(v.Runtime)+len(v.Env)+len(v.Memory) > 0
}

// words returns the flags as they were given.
func (v variantFlags) words() (out []string) {
	for flag, values := range reflect.ValueOf(v).Fields() {
		if values.Kind() == reflect.String && values.String() != "" {
			values = reflect.ValueOf([]string{values.String()})
		} else if values.Kind() == reflect.String {
			continue
		}
		for _, value := range values.Seq2() {
			out = append(out, "--"+strings.ToLower(flag.Name), fmt.Sprint(value))
		}
	}
	return out
}

// cross returns a function at each combination of levels.
func (v variantFlags) cross(f assembly.Function) []assembly.Function {
	all := vary([]assembly.Function{f}, v.Handler, func(f *assembly.Function, handler string) string {
		if f.PackageType == assembly.Image {
			f.ImageConfig.Command = []string{handler}
		}
		f.Handler = handler
		return handler
	})
	all = vary(all, v.Runtime, func(f *assembly.Function, runtime string) string {
		if f.PackageType == assembly.Zip {
			f.Runtime = runtime
		}
		return runtime
	})
	var names []string
	values := map[string][]string{}
	for _, kv := range v.Env {
		name, value, _ := strings.Cut(kv, "=")
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	for _, name := range names {
		all = vary(all, values[name], func(f *assembly.Function, value string) string {
			f.Environment = maps.Clone(f.Environment)
			if f.Environment == nil {
				f.Environment = map[string]string{}
			}
			f.Environment[name] = value
			return name + "=" + value
		})
	}
	all = vary(all, v.Memory, func(f *assembly.Function, mb int) string {
		f.MemorySizeMB, f.Identity.MemorySizeMB = mb, mb
		return ""
	})
	return all
}

// vary crosses functions with the levels of one factor; set returns what a level is called.
func vary[T any](in []assembly.Function, levels []T, set func(*assembly.Function, T) string) (out []assembly.Function) {
	if len(levels) == 0 {
		return in
	}
	for _, f := range in {
		for _, level := range levels {
			of := f
			if label := set(&of, level); label != "" && len(levels) > 1 {
				of.Identity.Arm += " " + label
			}
			out = append(out, of)
		}
	}
	return out
}

// numbered gives every function a name that Lambda allows.
func numbered(functions []assembly.Function) {
	for i := range functions {
		f := &functions[i]
		name := notInNames.ReplaceAllString(f.Identity.Arm, "-")
		f.LogicalID = "f" + strconv.Itoa(i+1) + "-" + name[:min(len(name), 50)]
		f.PhysicalFunctionName = f.LogicalID
		f.LogGroup = "/aws/lambda/" + f.LogicalID
	}
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// checkTwice returns an error if two arms have the same name, because a report could not tell them apart.
func checkTwice(functions []assembly.Function) error {
	seen := map[string]bool{}
	for _, f := range functions {
		if seen[atMemory(f)] {
			return errors.New(f.Identity.Arm + " is named twice: name each package and arm once")
		}
		seen[atMemory(f)] = true
	}
	return nil
}

// atMemory names an arm at its memory size.
func atMemory(f assembly.Function) string {
	return fmt.Sprintf("%s@%d", f.Identity.Arm, f.MemorySizeMB)
}
