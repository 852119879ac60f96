package main

import "unsafe"

// shell runs functions. On provided.al2023 it is the base's; an image without a base has one of its own there.
const shell = "/bin/bash\x00"

// systemFirst says whether the linker that looks for a program's libraries in these folders finds the same ones without them: Lambda's own
// LD_LIBRARY_PATH begins with the system's. With it each start of a Bash asks for some 30 files that are not there in each of the folders.
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime; Lambda's base images put
// /var/lang/lib first, although they do not contain it.
func systemFirst(folders string) bool {
	const image, system = "/var/lang/lib:", "/lib64:/usr/lib64:"
	if len(folders) > len(image) && folders[:len(image)] == image {
		folders = folders[len(image):]
	}
	return len(folders) >= len(system) && folders[:len(system)] == system
}

// prepareShell trims the environment so that Bash starts faster; restore is the shell code that undoes it. If SHELL is not set, Bash looks the
// user's shell up in the system's databases, which takes 20 system calls and reads files that nothing else needs.
func prepareShell() {
	switch {
	case handler.function != "" && !settings.shellSet:
		inheritString("SHELL=" + shell)
	case handler.function == "" && settings.libraries != nil:
		inherit(settings.libraries)
	}
}

// withheld are the two arguments that restore is about: the value of LD_LIBRARY_PATH, and whether SHELL is no variable of the environment; else
// they are empty.
func withheld() (libraries, unset *byte) {
	const none, some = "\x00", "x\x00"
	libraries, unset = unsafe.StringData(none), unsafe.StringData(none)
	if settings.libraries != nil {
		libraries = (*byte)(unsafe.Add(unsafe.Pointer(settings.libraries), len("LD_LIBRARY_PATH=")))
	}
	if !settings.shellSet {
		unset = unsafe.StringData(some)
	}
	return libraries, unset
}
