// Package handlerlib holds the library that handlers in Bash may source: `. "$TWINSTART_LIB"`. It is Bash alone,
// except lambda_aws, which runs curl. All bootstraps share it. docs/handler-contract.md says what its functions do.
//
// The source is lambda.sh. Script is a constant with the same text, because package embed would bring io/fs and time
// into every bootstrap.
package handlerlib

//go:generate go test -run TestScriptIsCurrent -update
