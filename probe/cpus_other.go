//go:build !linux

package probe

func asOnLambda(int) {}

func diskReadAhead(string) int { return DefaultReadAheadKiB }
