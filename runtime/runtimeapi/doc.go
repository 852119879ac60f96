// Package runtimeapi is Lambda's Runtime API, version 2018-06-01, as a bootstrap uses it: operations, header names
// and the meaning of each status, over any Transport. It imports neither net nor fmt nor encoding/json, so that the
// smallest bootstrap can use it.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package runtimeapi

// Version of the bootstraps. It is part of the User-Agent: twinstart/<version>-<bootstrap>.
const Version = "0.1.0"

// UserAgent returns the User-Agent of a bootstrap.
func UserAgent(bootstrap string) string { return "twinstart/" + Version + "-" + bootstrap }
