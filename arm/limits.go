package arm

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
)

// mbPerVCPU is the memory size in MB at which a function has one vCPU. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const mbPerVCPU = 1769

// VCPUs returns the CPU that a function with memoryMB gets, in vCPUs. It grows with memory: one vCPU per 1769 MB.
func VCPUs(memoryMB int) float64 { return float64(memoryMB) / mbPerVCPU }

// HeaderCounts is a header of an Invoke request. It asks the lab to add its own line to X-Amz-Log-Result. Lambda
// does not know it.
const HeaderCounts = "X-Lab-Counts"

// HeaderLogStream is a header of the lab's answers: the log stream, which each execution environment has of its own.
const HeaderLogStream = "X-Lab-Log-Stream"
