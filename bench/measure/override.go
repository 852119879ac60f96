package measure

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// OwnVariable is the environment variable in which a function keeps, as JSON, what a run has replaced of its
// configuration for an arm. It comes and goes with the nonce, in the same update, so that whoever runs next can put it
// back, whatever became of this run.
const OwnVariable = "TWINSTART_OWN"

// replaced is the value of OwnVariable.
type replaced struct {
	Memory      *int32               `json:"memory"`
	Layers      []string             `json:"layers"`
	Tracing     types.TracingMode    `json:"tracing,omitempty"`
	Logs        *types.LoggingConfig `json:"logs,omitempty"`
	Environment map[string]*string   `json:"environment,omitempty"` // null: there was no such variable
}

// Own returns a function's configuration without what a run has set. left reports whether there was anything.
func Own(now *Config) (own *Config, left bool) {
	c := *now
	env := variables(now)
	for _, name := range []string{NonceVariable, PhasesVariable} {
		if nonce.MatchString(env[name]) {
			delete(env, name)
			left = true
		}
	}
	var was replaced
	if left && json.Unmarshal([]byte(env[OwnVariable]), &was) == nil {
		c.MemorySize, c.LoggingConfig, c.Layers = was.Memory, was.Logs, layers(was.Layers)
		if was.Tracing != "" {
			c.TracingConfig = &types.TracingConfigResponse{Mode: was.Tracing}
		}
		delete(env, OwnVariable)
		for name, value := range was.Environment {
			if delete(env, name); value != nil {
				env[name] = *value
			}
		}
	}
	c.Environment = &types.EnvironmentResponse{Variables: env}
	return &c, left
}

// pulled returns a function's own configuration with an arm's override.
func pulled(own *Config, set arm.Override) *Config {
	c := *own
	env, was := variables(own), replaced{Memory: own.MemorySize, Layers: arns(own.Layers), Logs: own.LoggingConfig}
	if own.TracingConfig != nil {
		was.Tracing = own.TracingConfig.Mode
	}
	for name, value := range set.Environment {
		if was.Environment == nil {
			was.Environment = map[string]*string{}
		}
		was.Environment[name] = nil
		if before, is := env[name]; is {
			was.Environment[name] = &before
		}
		env[name] = value
	}
	if set.MemorySizeMB > 0 {
		c.MemorySize = aws.Int32(int32(set.MemorySizeMB))
	}
	c.Layers = append(slices.Clone(c.Layers), layers(set.Layers)...)
	if set.Tracing != "" {
		c.TracingConfig = &types.TracingConfigResponse{Mode: types.TracingMode(set.Tracing)}
	}
	if set.LogFormat != "" {
		logs := types.LoggingConfig{}
		if own.LoggingConfig != nil {
			logs = *own.LoggingConfig
		}
		if logs.LogFormat = types.LogFormat(set.LogFormat); logs.LogFormat == types.LogFormatText { // which has no levels
			logs.ApplicationLogLevel, logs.SystemLogLevel = "", ""
		}
		c.LoggingConfig = &logs
	}
	text, _ := json.Marshal(was) // text and numbers
	env[OwnVariable] = string(text)
	c.Environment = &types.EnvironmentResponse{Variables: env}
	return &c
}

// change is the update that makes a configuration another one: always the environment, and of the rest what differs.
func change(from, to *Config) *lambda.UpdateFunctionConfigurationInput {
	in := &lambda.UpdateFunctionConfigurationInput{Environment: &types.Environment{Variables: variables(to)}, RevisionId: from.RevisionId}
	if aws.ToInt32(from.MemorySize) != aws.ToInt32(to.MemorySize) {
		in.MemorySize = to.MemorySize
	}
	if !slices.Equal(arns(from.Layers), arns(to.Layers)) {
		in.Layers = arns(to.Layers)
	}
	if tracing(from) != tracing(to) {
		in.TracingConfig = &types.TracingConfig{Mode: tracing(to)}
	}
	if logFormat(from) != logFormat(to) {
		in.LoggingConfig = to.LoggingConfig
	}
	return in
}

// alike reports whether nothing that change changes differs.
func alike(a, b *Config) bool {
	in := change(a, b)
	return in.MemorySize == nil && in.Layers == nil && in.TracingConfig == nil && in.LoggingConfig == nil && maps.Equal(variables(a), variables(b))
}

func variables(c *Config) map[string]string {
	env := map[string]string{}
	if c.Environment != nil {
		maps.Copy(env, c.Environment.Variables)
	}
	return env
}

func tracing(c *Config) types.TracingMode {
	if c.TracingConfig == nil {
		return types.TracingModePassThrough
	}
	return c.TracingConfig.Mode
}

func logFormat(c *Config) types.LogFormat {
	if c.LoggingConfig == nil {
		return types.LogFormatText
	}
	return c.LoggingConfig.LogFormat
}

func layers(arns []string) []types.Layer {
	return list.Map(arns, func(arn string) types.Layer { return types.Layer{Arn: &arn} })
}

func arns(layers []types.Layer) []string {
	out := make([]string, len(layers))
	for i, l := range layers {
		out[i] = aws.ToString(l.Arn)
	}
	return out
}
