// Package benchmarks measures the bootstraps side by side in one run: times, memory, bytes, cold pages, instructions,
// and their goals as ratios of pairs. `make bench-runtime` runs it; README.md has its figures.
package benchmarks
