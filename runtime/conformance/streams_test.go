package conformance

// streamScenarios test the bytes that a handler reads and writes.
var streamScenarios = []contractScenario{
	{
		name:    "locale",
		handler: "run() { printf '%s %s' \"${#1}\" \"$LC_ALL\"; }\n",
		events:  events("\u00e9\u00e9"),
		check:   func(o *outcome, _ string) error { return o.responses("2 C.UTF-8") },
	},
	{
		name:    "locale of the handler's choice",
		handler: "LC_ALL=C\nrun() { printf %s ${#1}; }\n",
		events:  events("\u00e9\u00e9", "\u00e9"),
		check:   func(o *outcome, _ string) error { return o.responses("4", "2") },
	},
	{
		name:    "6 MB in and out",
		handler: "run() { [[ ${#1} -gt 6000000 ]] || return; cat; printf %s \"${1:0:5}\"; }\n",
		env:     []string{"LC_ALL=C"},
		events:  events(large, large),
		check:   func(o *outcome, _ string) error { return o.responses(large+large[:5], large+large[:5]) },
	},
	{
		name:    "an event with a NUL byte",
		handler: "run() { printf '%s|' \"$1\"; cat; }\n",
		events:  events("a\x00b", "c"),
		check:   func(o *outcome, _ string) error { return o.responses("a|a\x00b", "c|c") },
	},
	{
		name:    "any byte in a response",
		handler: "run() { cat; }\n",
		events:  events(everyByte+large[:70000], "", everyByte),
		check:   func(o *outcome, _ string) error { return o.responses(everyByte+large[:70000], "", everyByte) },
	},
	{
		name:    "/dev/stdout, /dev/stderr and /dev/stdin by name",
		handler: "run() { printf a; printf b >/dev/stdout; printf c >/dev/stderr; printf d >/proc/self/fd/1; cat /dev/stdin; }\n",
		events:  events("1", "2"),
		check:   func(o *outcome, _ string) error { return o.responses("abd1", "abd2") },
	},
	{
		name:    "stdin is read or not",
		handler: "run() { local line; [[ $1 != read* ]] || IFS= read -r line; printf %s \"${line-}\"; }\n",
		events:  events("no", "read\nmore", "no", "read this"),
		check:   func(o *outcome, _ string) error { return o.responses("", "read", "", "read this") },
	},
}
