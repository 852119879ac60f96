package api

import "strings"

// functionName takes a name or an ARN, whole or partial, with or without a version or an alias, to name:qualifier, for $LATEST to the name.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters.
func functionName(s, qualifier string) (string, error) {
	parts := strings.Split(s, ":")
	var name string
	switch {
	case len(parts) >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function": // arn:aws:lambda:region:account:function:name[:version]
		name, parts = parts[6], parts[7:]
	case len(parts) >= 3 && parts[1] == "function": // account:function:name[:version]
		name, parts = parts[2], parts[3:]
	default: // name[:version]
		name, parts = parts[0], parts[1:]
	}
	if len(parts) > 0 {
		qualifier = parts[0]
	}
	if name == "" || len(parts) > 1 {
		return "", Invalid("FunctionName " + s + " is neither a name nor an ARN of a function")
	}
	if qualifier != "" && qualifier != Latest {
		return name + ":" + qualifier, nil
	}
	return name, nil
}
