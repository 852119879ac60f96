package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSelectArms(t *testing.T) {
	for _, test := range []struct{ patterns, want string }{
		{"nethttp/zip", "nethttp/zip"},
		{"nethttp/*", "nethttp/zip nethttp/image nethttp/image-minimal"},
		{"nethttp", "nethttp/zip nethttp/image nethttp/image-minimal"},
		{"rawtcp*/zip", "rawtcp/zip rawtcp-upx/zip rawtcp-padded/zip"},
		{"bash*/image", "bashcurl/image bashtcp/image bashtcp-static/image"},
		{"rawtcp/zip,bashcurl/zip,rawtcp/z?p", "bashcurl/zip rawtcp/zip"}, // in the order of reports, each arm once
		{"[ln]*/image", "nethttp/image lambdago/image"},
	} {
		arms, err := selectArms(strings.Split(test.patterns, ","))
		if err != nil {
			t.Errorf("%s: %v", test.patterns, err)
			continue
		}
		var ids []string
		for _, a := range arms {
			ids = append(ids, a.ID())
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%s selects %s, want %s", test.patterns, got, test.want)
		}
	}
	if all, err := selectArms([]string{"*"}); err != nil || len(all) != len(factorial()) {
		t.Errorf("* selects %d arms (%v), want all %d", len(all), err, len(factorial()))
	}
}

func TestContextMistakes(t *testing.T) {
	const keys = "use experiment, arms, architecture, memory, handler, observe, tuning, packages, runtime, functions, languages, package, levers, sizes, tracing, provisioned, reserved, vpc, subnets, url, logs, kms, dlq, tmp"
	for _, test := range []struct {
		key   string
		value any
		want  string // the whole message, or its beginning if it ends in "..."
	}{
		{"arch", "arm64", "-c arch=...: unknown context key: " + keys},
		{"Memory", "128", "-c Memory=...: unknown context key: " + keys},
		{"experiment", "a/b", "-c experiment=a/b: use up to 64 letters, digits and single hyphens, as in night-run-2"},
		{"experiment", "-x", "-c experiment=-x: use up to 64 letters, ..."},
		{"experiment", strings.Repeat("x", 65), "-c experiment=xxx..."},
		{"experiment", "a,b", "-c experiment=a,b: it takes one value: synth once for each"},
		{"experiment", "", "-c experiment: a value is empty: give one, or leave the key out for its default"},
		{"architecture", "arm", `-c architecture=arm: unknown architecture "arm": use arm64 or x86_64`},
		{"architecture", "amd64", `-c architecture=amd64: unknown architecture "amd64": use arm64 or x86_64`},
		{"memory", "1GB", `-c memory=1GB: "1GB": use whole MB from 128 to 10240`},
		{"memory", "127", `-c memory=127: "127": use ...`},
		{"memory", 10241.0, `-c memory=10241: "10241": use ...`},
		{"memory", "128,,256", "-c memory: a value is empty: ..."},
		{"memory", map[string]any{}, "-c memory: the value is map[]: use text, a number, or a list of these"},
		{"memory", []any{128.0, []any{256.0}}, "-c memory: the value is [128 [256]]: use text, a number, or a list of these"},
		{"reserved", []any{true}, "-c reserved: the value is [true]: use text, a number, or a list of these"},
		{"observe", "graphs", `-c observe=graphs: there is no "graphs": use dashboard, metrics, alarms, queries, contributors, or just none`},
		{"observe", "none,alarms", `-c observe=none,alarms: there is no "none": use dashboard, metrics, alarms, queries, contributors, or just none`},
		{"handler", "nosuch", `-c handler=nosuch: there is no "nosuch": use echo, hello, levers, primed`},
		{"handler", "../infra", `-c handler=../infra: there is no "../infra": use ...`},
		{"arms", "nosuch/zip", `-c arms=nosuch/zip: "nosuch/zip" matches no arm: use BOOTSTRAP/PACKAGE of bashcurl|...`},
		{"arms", "nethttp/zip,nethttp/tar", `-c arms=nethttp/zip,nethttp/tar: "nethttp/tar" matches no arm: ...`},
		{"arms", "[", `-c arms=[: "[" is not a valid pattern: use *, ? and [a-z], as in rawtcp*/zip`},
		{"arms", " ", "-c arms: a value is empty: ..."},
	} {
		project(t)
		_, err := readSettings(map[string]any{test.key: test.value, "@aws-cdk/core:flag": true, "aws:cdk:x": true})
		if err == nil {
			t.Errorf("-c %s=%v: no error", test.key, test.value)
			continue
		}
		if beginning, cut := strings.CutSuffix(test.want, "..."); err.Error() != test.want && (!cut || !strings.HasPrefix(err.Error(), beginning)) {
			t.Errorf("-c %s=%v:\n  got  %s\n  want %s", test.key, test.value, err, test.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("-c %s=%v: more than one line: %q", test.key, test.value, err)
		}
	}
}

// A number in cdk.json is text as it was written.
func TestContextNumbers(t *testing.T) {
	project(t)
	s, err := readSettings(map[string]any{"experiment": 20261121.0, "memory": []any{512.0, "1024,512"}})
	if err != nil || s.Experiment != "20261121" || !slices.Equal(s.MemorySizes, []int{512, 1024}) {
		t.Errorf("want the experiment 20261121 at 512 and 1024 MB: %s, %v, %v", s.Experiment, s.MemorySizes, err)
	}
}
