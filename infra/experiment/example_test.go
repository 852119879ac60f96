package experiment_test

import (
	"log"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/experiment"
)

// One code folder becomes a ZIP and an image, and `twinstart run` compares them.
func ExampleNewExperiment() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	compare := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{Name: "shop"})
	if _, _, err := compare.Pair("checkout", &experiment.PairProps{Code: jsii.String("build/checkout")}); err != nil {
		log.Fatal(err)
	}
	if err := compare.Finish(); err != nil {
		log.Fatal(err)
	}
	app.Synth(nil)
}
