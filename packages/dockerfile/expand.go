package dockerfile

import (
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// expand removes quotes and replaces $NAME and ${NAME} by the values of ENV, the base and ARG, in that order, as
// Docker does. If the base's settings are not known, any other name is an error.
func (r *reader) expand(word string) (string, error) {
	return r.expandBy(word, slices.Concat(r.args, r.baseEnv(), r.image.Env), r.base == nil)
}

// expandBy replaces names by the last value in vars. If it is strict, a name that vars does not have is an error.
func (r *reader) expandBy(word string, vars []string, strict bool) (string, error) {
	text, unset, err := r.lex.ProcessWord(word, shell.EnvsFromSlice(vars))
	if err != nil {
		return "", r.errorf("%v", err)
	}
	if len(unset) > 0 && strict {
		names := slices.Sorted(maps.Keys(unset))
		return "", r.errorf("%s is not set above, and the base's variables are unknown here: write the value or an ENV",
			strings.Join(names, ", "))
	}
	return text, nil
}

func (r *reader) baseEnv() []string {
	if r.base == nil {
		return nil
	}
	return r.base.Env
}

// argument handles ARG NAME[=DEFAULT]. The value is the build argument, or else the default, or else the value
// before FROM.
func (r *reader) argument(all []instructions.KeyValuePairOptional) error {
	for _, kv := range all {
		name, err := r.expandBy(kv.Key, r.global, false)
		if err != nil {
			return err
		}
		value, given := "", kv.Value != nil
		if given {
			vars := slices.Concat(r.platformArgs(), r.global, r.args, r.baseEnv(), r.image.Env)
			if value, err = r.expandBy(*kv.Value, vars, false); err != nil {
				return err
			}
		}
		if v, ok := r.options.Args[name]; ok {
			value, given = v, true
		} else if v, ok := shell.EnvsFromSlice(r.platformArgs()).Get(name); ok {
			value, given = v, true
		} else if v, ok := shell.EnvsFromSlice(r.global).Get(name); ok && !given {
			value, given = v, true
		}
		if !given {
			continue // declared but not set
		}
		if r.image.From == "" {
			r.global = setEnv(r.global, name, value)
		} else {
			r.args = setEnv(r.args, name, value)
		}
	}
	return nil
}

// platformArgs are the arguments that BuildKit sets: always for FROM, and in a stage if ARG names them.
func (r *reader) platformArgs() []string {
	p := r.options.Platform
	if p == "" {
		return nil
	}
	os, architecture, _ := strings.Cut(p, "/")
	return []string{
		"TARGETPLATFORM=" + p, "TARGETOS=" + os, "TARGETARCH=" + architecture, "TARGETVARIANT=",
		"BUILDPLATFORM=" + p, "BUILDOS=" + os, "BUILDARCH=" + architecture, "BUILDVARIANT=",
	}
}

// Provided reports whether an image's name is that of Lambda's own base for bootstraps.
func Provided(from string) bool {
	name, _, _ := strings.Cut(from, "@")
	i := strings.LastIndexByte(name, '/')
	if i >= 0 && !strings.Contains(name[:i], "lambda") {
		return false
	}
	name, _, _ = strings.Cut(name[i+1:], ":")
	return name == "provided"
}

// knownBase returns the settings of Lambda's own base images, from their documentation and Dockerfiles.
// See https://github.com/aws/aws-lambda-base-images.
func knownBase(from string) *v1.Config {
	if !Provided(from) {
		return nil
	}
	return &v1.Config{WorkingDir: "/var/task", Env: []string{
		"LANG=en_US.UTF-8", "TZ=:/etc/localtime", "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime",
	}}
}
