package runfile

import (
	"strconv"
	"strings"
)

// Deployed is a function as Lambda says that it is, whatever lies on disk. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
type Deployed struct {
	Function       string `json:"function"`
	Architecture   string `json:"architecture"`
	MemorySizeMB   int    `json:"memorySizeMB"`
	PackageType    string `json:"packageType"`              // Zip or Image
	CodeSizeBytes  int64  `json:"codeSizeBytes,omitempty"`  // Zip only
	CodeSHA256     string `json:"codeSha256,omitempty"`     // base64 of the ZIP's; of an image as Lambda has it
	Image          string `json:"image,omitempty"`          // by digest
	RuntimeVersion string `json:"runtimeVersion,omitempty"` // ARN of the managed runtime's; Lambda replaces it by and by
}

// Differs says what of d has changed, "" for nothing. What one of them does not say counts as equal.
func (d Deployed) Differs(was Deployed) string {
	var all []string
	for _, f := range [][3]string{
		{"architecture", d.Architecture, was.Architecture}, {"memory", strconv.Itoa(d.MemorySizeMB), strconv.Itoa(was.MemorySizeMB)}, {"package type", d.PackageType, was.PackageType},
		{"code", d.CodeSHA256, was.CodeSHA256}, {"image", d.Image, was.Image}, {"runtime version", d.RuntimeVersion, was.RuntimeVersion},
	} {
		if f[1] != f[2] && f[1] != "" && f[2] != "" {
			all = append(all, f[0]+" is "+f[1]+", not "+f[2])
		}
	}
	return strings.Join(all, ", ")
}
