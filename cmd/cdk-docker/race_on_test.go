//go:build race

package main

// bigFile is smaller under the race detector, which takes 0.4 s to compress a megabyte.
const bigFile = 20_000_000
