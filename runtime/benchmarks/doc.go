// Package benchmarks measures the bootstraps side by side in one run: times, memory, bytes, cold pages, instructions,
// and their goals as ratios of pairs. `make bench-runtime` runs it; README.md has its figures.
//
// It consists of tests and benchmarks, and stands beside what it compares. It starts plain processes: an execution
// environment would add its own time and memory to the figures.
package benchmarks
