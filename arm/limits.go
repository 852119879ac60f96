package arm

// Lambda's limits, see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
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

// mbPerVCPU is the memory size that has one vCPU, see
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const mbPerVCPU = 1769

// VCPUs returns the share of CPU that Lambda gives a memory size: one vCPU for every 1769 MB, in proportion.
func VCPUs(memoryMB int) float64 { return float64(memoryMB) / mbPerVCPU }

// HeaderCounts of an Invoke asks for the lab's own line in X-Amz-Log-Result. Lambda does not know it.
const HeaderCounts = "X-Lab-Counts"
