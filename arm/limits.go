package arm

import "regexp"

// Lambda's limits. See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	MinMemoryMB       = 128
	MaxMemoryMB       = 10240
	MinTimeoutSeconds = 1
	MaxTimeoutSeconds = 900
	MinTmpMB          = 512 // ephemeral storage
	MaxTmpMB          = 10240
	MaxPayload        = 6 << 20   // bytes of a synchronous event, and of a response
	MaxAsyncPayload   = 1 << 20   // bytes
	MaxZIP            = 50 << 20  // bytes, in a request
	MaxUnpackedZIP    = 250 << 20 // bytes, layers included
	MaxImage          = 10 << 30  // bytes, unpacked
	MaxVariables      = 4 << 10   // bytes of the names and values of all environment variables
	MaxDescription    = 256       // characters
	MaxLayers         = 5
	MaxName           = 128 // bytes of an alias's or a handler's name
)

// FunctionName matches the names that a new function may have.
// See https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html.
var FunctionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

var aliasName = regexp.MustCompile(`^[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*$`)

// IsAlias reports whether an alias may have a name. Digits alone are a version.
// See https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html.
func IsAlias(name string) bool { return len(name) <= MaxName && aliasName.MatchString(name) }

// VariableName matches the names of environment variables that a function may have.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html.
var VariableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// ReservedVariables lists the environment variables that Lambda sets and that a function's configuration may not set.
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime.
var ReservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

// mbPerVCPU is the memory size in MB at which a function has one vCPU. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const mbPerVCPU = 1769

// VCPUs returns the CPU that a function with memoryMB gets, in vCPUs. It grows with memory: one vCPU per 1769 MB.
func VCPUs(memoryMB int) float64 { return float64(memoryMB) / mbPerVCPU }

// HeaderCounts is a header of an Invoke request. It asks the lab to add its own line to X-Amz-Log-Result. The header is
// not part of Lambda's API.
const HeaderCounts = "X-Lab-Counts"

// HeaderLogStream is a header of the lab's answers: the log stream of the execution environment that answered.
const HeaderLogStream = "X-Lab-Log-Stream"
