package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
)

// variantFlags are factors that functions are crossed with. If a factor has several levels, the level becomes part of
// the arm's name. Memory does not, because reports add it.
type variantFlags struct {
	Handler      []string         `json:"handler" group:"what" placeholder:"NAME"`
	Runtime      []string         `json:"runtime" group:"what" placeholder:"NAME"`
	Env          []string         `json:"env" group:"what" sep:"none" placeholder:"NAME=VALUE"`
	Memory       []int            `json:"memory" group:"what" placeholder:"MB"`
	Bootstrap    []string         `json:"bootstrap" group:"what" placeholder:"NAME"`
	Architecture arm.Architecture `json:"architecture" group:"what" default:"" enum:"arm64,x86_64," placeholder:"ARCH"`
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
		return fmt.Errorf("--runtime %s needs --handler, such as index.handler or example.Handler::handle", v.Runtime[i])
	}
	for _, kv := range v.Env {
		if name, _, ok := strings.Cut(kv, "="); !ok || !variableName.MatchString(name) {
			return fmt.Errorf("--env %q: want NAME=VALUE", kv)
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
		if values.Kind() == reflect.Slice {
			for _, value := range values.Seq2() {
				out = append(out, "--"+strings.ToLower(flag.Name), fmt.Sprint(value))
			}
		}
	}
	if v.Architecture != "" {
		out = append(out, "--architecture", string(v.Architecture))
	}
	return out
}
