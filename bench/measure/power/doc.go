// Package power finds the memory size at which a Lambda function is cheapest, fastest, or the best of both.
//
// It takes the input of AWS Lambda Power Tuning 4.4.0 and gives its output, with more beside it. One tuning is:
//
//	ParseInput -> Initialise -> Publish -> Measure -> Clean -> Analyse -> Optimise
//
// Tuner.Run does that in one process, Tuner.Sweep for several functions together, as `twinstart tune` does; Steps does each for a state machine, which carries the Plan and the
// Progress between them. Both invoke published versions of the function, one for each power value (its memory size in MB), and leave
// the function as it was: versions and aliases are deleted and the memory is restored whatever happens in between, see Marker.
//
// Three durations are kept apart: INIT, restore (SnapStart) and the handler's. Where one figure is asked for, as in the output's
// "duration", it is their sum, as in Power Tuning.
package power
