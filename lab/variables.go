package lab

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/runtimeapi"
)

// These are the values of provided.al2023. lab/root/lambda.json says where they were published.
const (
	searchPath  = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
	libraryPath = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
	daemonHost  = "169.254.100.1"
	daemonPort  = "2000"
	onDemand    = "on-demand"
)

// noCredentials are invented credentials. Without any, an SDK would ask this machine's metadata service for a role.
var noCredentials = map[string]string{
	"AWS_ACCESS_KEY_ID": "ASIALAB0000000000000", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_SESSION_TOKEN": "lab"}

// notInSnapshot lists the variables that an environment with SnapStart does not have.
var notInSnapshot = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}

// Variables returns the environment variables of a bootstrap as sorted NAME=value. They are Lambda's defaults,
// replaced by the image's, then by the function's configuration, and last by the variables that only Lambda may set.
func Variables(c api.Configuration, image []string, runtimeAPI, logStream string) []string {
	v := map[string]string{
		"PATH": searchPath, "LD_LIBRARY_PATH": libraryPath, "LANG": "en_US.UTF-8", "TZ": ":UTC", "SHLVL": "0",
		"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": daemonHost + ":" + daemonPort,
		"_AWS_XRAY_DAEMON_ADDRESS": daemonHost, "_AWS_XRAY_DAEMON_PORT": daemonPort,
	}
	maps.Copy(v, noCredentials)
	for _, kv := range image {
		name, value, _ := strings.Cut(kv, "=")
		v[name] = value
	}
	maps.Copy(v, c.Environment)
	maps.Copy(v, map[string]string{
		"AWS_LAMBDA_RUNTIME_API": runtimeAPI, "AWS_REGION": assembly.Region, "AWS_DEFAULT_REGION": assembly.Region,
		"AWS_LAMBDA_FUNCTION_NAME": c.Name, "AWS_LAMBDA_FUNCTION_VERSION": c.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemorySizeMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  cmp.Or(c.Initialization, onDemand),
		"AWS_LAMBDA_LOG_GROUP_NAME":       c.LogGroup, "AWS_LAMBDA_LOG_STREAM_NAME": logStream,
	})
	if c.Initialization == snapStartInit {
		for _, name := range notInSnapshot {
			delete(v, name)
		}
		v["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://" + runtimeAPI + runtimeapi.CredentialsPath
		v["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = secret(logStream)
	}
	if c.LogFormat == string(assembly.JSON) {
		v["AWS_LAMBDA_LOG_FORMAT"], v["AWS_LAMBDA_LOG_LEVEL"] = c.LogFormat, "INFO"
	}
	if c.Handler != "" { // an image gets the handler as an argument
		v["_HANDLER"] = c.Handler
	}
	out := make([]string, 0, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, name+"="+v[name])
	}
	return out
}
