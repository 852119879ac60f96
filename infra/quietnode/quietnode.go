// Package quietnode stops jsii from printing a box about Node's age at every synth. Import it for its effect.
//
// jsii copies the environment when the CDK's packages are initialized, long before main. This package imports only
// os, so Go initializes it in time: packages are initialized in the order of their import paths, after their
// imports, and jsii imports os/exec, which comes after os. See https://go.dev/ref/spec#Program_initialization.
package quietnode

import "os"

const variable = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"

// releases lists the major versions of Node that jsii has tested. The variable is a list of versions, so 1 would
// mean Node 1.
const releases = "18,20,22,24"

func init() {
	os.Setenv(variable, os.Getenv(variable)+","+releases) // fails for malformed names only
}
