// Package runtimeapi is Lambda's Runtime API, version 2018-06-01, from a bootstrap's side: its verbs, its header names and
// what each status means, over whatever carries HTTP. It imports neither net nor fmt nor encoding/json, so that the smallest
// bootstrap can use it.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package runtimeapi

// Version of the bootstraps, as User-Agent tells it: twinstart/<version>-<bootstrap>.
const Version = "0.1.0"

// UserAgent of a bootstrap.
func UserAgent(bootstrap string) string { return "twinstart/" + Version + "-" + bootstrap }
