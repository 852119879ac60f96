//go:build !race

package main

// bigFile is what a build must stream: bytes.
const bigFile = 100_000_000
