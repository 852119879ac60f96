// Package handlerlib holds the library that handlers in Bash may source: `. "$TWINSTART_LIB"`. It is Bash alone, without a fork, and
// shared by the bootstraps; what its functions do is in docs/handler-contract.md.
//
// The source is lambda.sh. Script is a constant made of it, because package embed would bring io/fs and time into every bootstrap.
package handlerlib

//go:generate go test -run TestScriptIsCurrent -update
