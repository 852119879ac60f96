//go:build !unix

package lab

func ended(int) bool { return false }
