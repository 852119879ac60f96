package arm

// Lambda's limits, see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	MinMemoryMB, MaxMemoryMB             = 128, 10240
	MinTimeoutSeconds, MaxTimeoutSeconds = 1, 900
	MinTmpMB, MaxTmpMB                   = 512, 10240 // ephemeral storage
	MaxPayload                           = 6 << 20    // bytes of a synchronous event, and of a response
	MaxAsyncPayload                      = 1 << 20    // bytes
	MaxUnpackedZIP                       = 250 << 20  // bytes, layers included
	MaxImage                             = 10 << 30   // bytes, unpacked
)

// mbPerVCPU is the memory size that has one vCPU, see
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const mbPerVCPU = 1769

// VCPUs returns the share of CPU that Lambda gives a memory size: one vCPU for every 1769 MB, in proportion.
func VCPUs(memoryMB int) float64 { return float64(memoryMB) / mbPerVCPU }
