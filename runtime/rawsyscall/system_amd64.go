package main

import "syscall"

const (
	sysMemfdCreate = 319
	sysFstatat     = syscall.SYS_NEWFSTATAT
)
