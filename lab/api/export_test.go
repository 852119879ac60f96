package api

// What the tests, which stand outside so that they can use the double, need of the inside.
const (
	HeaderRequestID     = headerRequestID
	HeaderType          = headerType
	HeaderLogType       = headerLogType
	HeaderLogResult     = headerLogResult
	HeaderClientContext = headerClientContext
	HeaderFunctionError = headerFunctionError
	HeaderVersion       = headerVersion
	Prefix              = prefix
)

// FunctionName is functionName.
func FunctionName(s, qualifier string) (string, error) { return functionName(s, qualifier) }
