package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/packages/builder"
)

// tool is a program that commands or targets of make use.
type tool struct {
	name    string
	version []string // arguments that print it
	least   string   // least version, such as 1.26; "" for any
	absent  state
	remedy  string
}

var tools = []tool{
	{"go", []string{"version"}, "1.26", needed, "install Go 1.26: it builds the bootstraps"},
	{"node", []string{"--version"}, "20.0", needed, "install Node.js 20 or later: the CDK runs on it"},
	{filepath.Join("node_modules", ".bin", "cdk"), []string{"--version"}, "2.1148", needed,
		"make setup, in a clone, installs the CDK CLI that package.json pins"},
	{"python3", []string{"--version"}, "3.9", without,
		"install Python 3.9 or later: make test-deploy and one way to get a static Bash need it"},
	{"upx", []string{"--version"}, "", without, "install upx: without it arm rawtcp-upx is not measured"},
	{"mkfs.ext4", []string{"-V"}, "", without, "install e2fsprogs: else the lab makes packages cold by posix_fadvise"},
}

// local checks this machine.
func local(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var found []finding
	_, err := os.Stat("package.json")
	for _, t := range tools {
		if err != nil { // this is not a clone, and only a clone needs the CDK and Go
			t.absent = without
		}
		found = append(found, t.look(ctx))
	}
	return append(append(found, images(ctx)), labFindings()...)
}

// look checks a tool and its version.
func (t tool) look(ctx context.Context) finding {
	name := filepath.Base(t.name)
	path, err := exec.LookPath(t.name)
	if err != nil && name == t.name { // /usr/sbin is not in every user's PATH
		path, err = exec.LookPath(filepath.Join("/usr/sbin", t.name))
	}
	if err != nil {
		return finding{t.absent, name, t.remedy}
	}
	text, err := exec.CommandContext(ctx, path, t.version...).CombinedOutput()
	said := oneLine(string(text))
	switch {
	case err != nil:
		return finding{t.absent, name, fmt.Sprintf("%s does not run (%s): %s", path, cmp.Or(said, err.Error()), t.remedy)}
	case older(said, t.least):
		return finding{t.absent, name, said + " is too old: " + t.remedy}
	}
	return finding{fine, name, said}
}

var twoNumbers = regexp.MustCompile(`[0-9]+\.[0-9]+`)

// older compares the first two numbers of a program's version, such as "go version go1.26.8 linux/amd64", with the
// least version. It returns false if there are no numbers.
func older(said, least string) bool {
	has := "v" + twoNumbers.FindString(said)
	return least != "" && semver.IsValid(has) && semver.Compare(has, "v"+least) < 0
}

// images checks for a program that builds container images.
func images(ctx context.Context) finding {
	if client, version := builder.Client(ctx); client != "" {
		return finding{fine, "images", strings.TrimSpace(client + " " + oneLine(version))}
	}
	return finding{without, "images", "no docker, podman or finch runs: make deploy builds images itself (cmd/cdk-docker)"}
}

// labFindings checks whether the lab works here.
func labFindings() []finding {
	warnings, err := lab.Look()
	if err != nil {
		return []finding{{without, "lab", oneLine(err.Error())}}
	}
	found := []finding{{fine, "lab", "execution environments can be made here"}}
	for _, warning := range warnings {
		found = append(found, finding{without, "lab", warning})
	}
	return found
}
