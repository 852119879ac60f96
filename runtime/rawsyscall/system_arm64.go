package main

import "syscall"

const (
	sysMemfdCreate = 279
	sysFstatat     = syscall.SYS_FSTATAT
)
