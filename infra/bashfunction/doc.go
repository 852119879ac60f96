// Package bashfunction is a CDK construct for Lambda functions written as shell functions.
//
//	bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
//		Entry: "handlers/hello", // holds handler.sh, which defines run()
//	})
//
// It builds the bootstrap, packages it with the handler as a ZIP file or a container image, and gives the function a log group of
// its own and a role that may write to that and do nothing else. What it is given is checked at synth: a handler without its function
// fails there, with the file's name and what it does define, and not at the first event.
//
// # Handlers
//
// Handler "file.function" sources file.sh once, during INIT, and calls the function for each event: the event arrives on standard
// input and as $1, what the function prints is the response, a non-zero status is a function error. Handler "file" runs that
// executable for each event, in whatever language.
package bashfunction
