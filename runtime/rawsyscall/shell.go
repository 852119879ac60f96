package main

import "unsafe"

// shell runs the functions. provided.al2023 has Bash at this path; an image without a base brings its own.
const shell = "/bin/bash\x00"

// systemFirst reports whether the dynamic linker finds the same libraries without LD_LIBRARY_PATH=folders. That is
// so if the system's folders come first, as in Lambda's own value. With the variable each start of a Bash looks for
// some 30 missing files in each of the folders. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime; Lambda's
// base images put /var/lang/lib first, although they do not contain it.
func systemFirst(folders string) bool {
	const image, system = "/var/lang/lib:", "/lib64:/usr/lib64:"
	if len(folders) > len(image) && folders[:len(image)] == image {
		folders = folders[len(image):]
	}
	return len(folders) >= len(system) && folders[:len(system)] == system
}

// prepareShell trims the environment so that Bash starts faster; restore is the shell code that undoes it. If SHELL
// is not set, Bash looks up the user's shell in the system's databases. That takes 20 system calls and reads files
// that nothing else needs.
func prepareShell() {
	switch {
	case handler.function != "" && !settings.shellSet:
		inheritString("SHELL=" + shell)
	case handler.function == "" && settings.libraries != nil:
		inherit(settings.libraries)
	}
}

// withheld returns the last two arguments of restore. libraries is the value of LD_LIBRARY_PATH if prepareShell
// removed it, else "". unset is "x" if the environment has no SHELL, else "".
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
