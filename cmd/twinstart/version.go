package main

import (
	"cmp"
	"runtime/debug"
)

// version returns what Go stamped into this binary: the module's version, which is a tag's or names the commit, "(devel)" for a test's or
// `go run`'s; and the commit, with +dirty if files differed from it, "" if it is not known.
func version() (module, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)", ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit = settings["vcs.revision"]; commit != "" && settings["vcs.modified"] == "true" {
		commit += "+dirty"
	}
	return cmp.Or(info.Main.Version, "(devel)"), commit
}
