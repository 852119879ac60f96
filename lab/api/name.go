package api

import "regexp"

// functionPattern is AWS's pattern for a name or an ARN, full or partial, with or without a version or an alias.
// See https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters.
var functionPattern = regexp.MustCompile(`^(?:(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?function:)?([a-zA-Z0-9_-]+)(?::(\$LATEST|[a-zA-Z0-9_-]+))?$`)

// functionName converts any form of a function's name to name:qualifier, or to the name alone for $LATEST.
func functionName(s, qualifier string) (string, error) {
	m := functionPattern.FindStringSubmatch(s)
	if m == nil {
		return "", Invalid("FunctionName " + s + " is neither a name nor an ARN of a function")
	}
	name, own := m[1], m[2]
	if own != "" && qualifier != "" && own != qualifier {
		return "", Invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if own != "" {
		qualifier = own
	}
	if qualifier != "" && qualifier != Latest {
		return name + ":" + qualifier, nil
	}
	return name, nil
}
