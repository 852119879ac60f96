// Package schema holds the JSON Schemas of a tuning's input and output, written from the reference of AWS Lambda Power Tuning 4.4.0
// (https://github.com/alexcasalboni/aws-lambda-power-tuning, README-EXECUTE and README-INPUT-OUTPUT). What that tool accepts is valid,
// what it answers is valid, and so are our own fields beside them.
package schema

import "embed"

//go:embed *.json
var files embed.FS

// Text is the schema of that name: input, output, or sweep (the output of several functions); nil for any other.
func Text(name string) []byte {
	text, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil
	}
	return text
}
