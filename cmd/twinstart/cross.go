package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/lab/assembly"
)

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
			all := map[string]string{}
			maps.Copy(all, f.Environment)
			all[name], f.Environment = value, all
			return name + "=" + value
		})
	}
	return vary(all, v.Memory, func(f *assembly.Function, mb int) string {
		f.MemorySizeMB, f.Identity.MemorySizeMB = mb, mb
		return ""
	})
}

// vary crosses functions with the levels of one factor. set applies a level to a function and returns its name, or "".
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
		name := atMemory(f)
		if seen[name] {
			return errors.New(f.Identity.Arm + " is named twice: name each package, arm and memory size once")
		}
		seen[name] = true
	}
	return nil
}

// atMemory names an arm at its memory size.
func atMemory(f assembly.Function) string {
	return fmt.Sprintf("%s@%d", f.Identity.Arm, f.MemorySizeMB)
}
