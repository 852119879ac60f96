package conformance

// environmentScenarios test variables that a bootstrap may remove before it starts Bash.
var environmentScenarios = []contractScenario{
	environmentScenario("Lambda's folders of libraries, and no SHELL", []string{"LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/task/lib"}, "/lib64:/usr/lib64:/var/task/lib x /"),
	environmentScenario("a base image's folders of libraries", []string{"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/a b"}, "/var/lang/lib:/lib64:/usr/lib64:/a b x /"),
	environmentScenario("the function's own folders of libraries, and a SHELL", []string{"LD_LIBRARY_PATH=/var/task/lib:/lib64:/usr/lib64:", "SHELL=/bin/sh"}, "/var/task/lib:/lib64:/usr/lib64: x /bin/sh x"),
	environmentScenario("no folders of libraries", nil, "none /"),
}

// environmentScenario has a handler print what it and its programs see: values, and an x if a variable is exported.
// If SHELL is not exported, Bash sets it itself.
func environmentScenario(name string, env []string, want string) contractScenario {
	return contractScenario{
		name: name,
		env:  env,
		handler: `run() {
	printf %s "${LD_LIBRARY_PATH-none} "
	[[ ${LD_LIBRARY_PATH@a} != *x* ]] || printf 'x '
	if [[ ${SHELL@a} == *x* ]]; then printf %s "$SHELL x"; else printf / && [[ $SHELL == /* ]]; fi
}
`,
		events: events("", ""),
		check:  func(o *outcome, _ string) error { return o.responses(want, want) },
	}
}
