// Package experiment is a CDK construct that compares functions of anybody's application: it makes them arms of one experiment,
// which `twinstart run` measures side by side, in the lab or on AWS.
//
//	e := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{Name: "shop"})
//	e.Add(orders, experiment.Levels{"client": "http"})
//	e.Add(ordersV2, experiment.Levels{"client": "raw"})
//	e.Pair("Checkout", &experiment.PairProps{Code: "build/checkout.zip", Handler: "bootstrap"}) // as ZIP and as image
//	e.Finish()                                                                                  // dashboard, tuner
//
// What an arm is stands in the Metadata of its function's resource: nothing is parsed out of a name.
package experiment
