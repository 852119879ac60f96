package measure

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// OwnVariable is the environment variable that holds, as JSON, the settings of a function that a run has replaced for
// an arm. The update that sets or removes the nonce also sets or removes it. So if this run is killed, the next run can
// restore the settings.
const OwnVariable = "TWINSTART_OWN"

// replaced is the value of OwnVariable.
type replaced struct {
	Memory      *int32               `json:"memory"`
	Layers      []string             `json:"layers"`
	Tracing     types.TracingMode    `json:"tracing,omitempty"`
	Logs        *types.LoggingConfig `json:"logs,omitempty"`
	Environment map[string]*string   `json:"environment,omitempty"` // null: there was no such variable
}

// Own returns a function's configuration without a run's settings. left reports whether it had any.
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

// pulled returns a function's own configuration with an arm's override (its levers pulled).
func pulled(own *Config, set arm.Override) *Config {
	c := *own
	env, was := variables(own), replaced{Memory: own.MemorySize, Layers: arns(own.Layers), Logs: own.LoggingConfig}
	was.Environment = map[string]*string{}
	if own.TracingConfig != nil {
		was.Tracing = own.TracingConfig.Mode
	}
	for name, value := range set.Environment {
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
		logs := *cmp.Or(own.LoggingConfig, &types.LoggingConfig{})
		if logs.LogFormat = types.LogFormat(set.LogFormat); logs.LogFormat == types.LogFormatText { // which has no levels
			logs.ApplicationLogLevel, logs.SystemLogLevel = "", ""
		}
		c.LoggingConfig = &logs
	}
	text, _ := json.Marshal(was) // text and numbers can always be encoded
	env[OwnVariable] = string(text)
	c.Environment = &types.EnvironmentResponse{Variables: env}
	return &c
}

// change returns the update from one configuration to another. It always has the environment, and other settings only
// if they differ.
func change(from, to *Config) *lambda.UpdateFunctionConfigurationInput {
	in := &lambda.UpdateFunctionConfigurationInput{RevisionId: from.RevisionId}
	in.Environment = &types.Environment{Variables: variables(to)}
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

// alike reports whether two configurations agree in all settings that change can update.
func alike(a, b *Config) bool {
	in := change(a, b)
	return in.MemorySize == nil && in.Layers == nil && in.TracingConfig == nil && in.LoggingConfig == nil &&
		maps.Equal(variables(a), variables(b))
}

func variables(c *Config) map[string]string {
	env := map[string]string{}
	maps.Copy(env, cmp.Or(c.Environment, &types.EnvironmentResponse{}).Variables)
	return env
}

func tracing(c *Config) types.TracingMode {
	return cmp.Or(c.TracingConfig, &types.TracingConfigResponse{Mode: types.TracingModePassThrough}).Mode
}

func logFormat(c *Config) types.LogFormat {
	return cmp.Or(c.LoggingConfig, &types.LoggingConfig{LogFormat: types.LogFormatText}).LogFormat
}

func layers(arns []string) []types.Layer {
	return list.Map(arns, func(arn string) types.Layer { return types.Layer{Arn: &arn} })
}

func arns(layers []types.Layer) []string {
	return list.Map(layers, func(l types.Layer) string { return aws.ToString(l.Arn) })
}
