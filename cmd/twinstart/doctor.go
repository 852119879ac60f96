package main

import (
	"cmp"
	"context"
	"fmt"
	goio "io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
	"github.com/twinstart/twinstart/packages/builder"
)

// doctorCommand checks this machine and the AWS account.
type doctorCommand struct {
	Local   bool     `help:"Look at this machine alone, not at an AWS account."`
	Prepare []string `placeholder:"RUNTIME,..." help:"Make the lab's stand-ins for these managed runtimes, such as nodejs22.x,python3.13: downloads from npm, PyPI and Maven by your own configuration of their clients, once."`
	Root    string   `placeholder:"LISTING" help:"Compare what handler inspect answered on Lambda (a file, or - for standard input) with the lab, and nothing else."`
}

// finding is the result of one check.
type finding struct {
	state  state
	what   string
	detail string // what was found, or how to get it
}

type state string

const (
	fine    state = "ok"
	without state = "--"
	needed  state = "!!"
)

// Run prints a line for each check.
func (c *doctorCommand) Run(ctx context.Context, io streams) error {
	if c.Root != "" {
		return compareRoots(ctx, io, c.Root)
	}
	if len(c.Prepare) > 0 {
		return c.prepare(ctx, io)
	}
	found := local(ctx)
	if !c.Local {
		found = append(found, accountFindings(ctx)...)
	}
	return tell(io.out, found)
}

// prepare makes stand-ins for managed runtimes. If one fails, the others are still made.
func (c *doctorCommand) prepare(ctx context.Context, io streams) error {
	var failures []error
	for _, name := range c.Prepare {
		r, err := lab.PrepareRuntime(ctx, name, io.err)
		if err == nil {
			fmt.Fprintf(io.out, "%s  %-14s %s, in %s\n", fine, name, r.Label, r.Dir)
		}
		failures = append(failures, err)
	}
	return oneOf(failures)
}

func tell(out goio.Writer, found []finding) error {
	bad := false
	for _, f := range found {
		fmt.Fprintf(out, "%s  %-14s %s\n", f.state, f.what, f.detail)
		bad = bad || f.state == needed
	}
	if bad {
		return errFinding
	}
	return nil
}

// tool is a program that is needed.
type tool struct {
	name    string
	version []string // arguments that print it
	least   string   // least version, such as 1.26; "" for any
	absent  state
	remedy  string
}

var tools = []tool{
	{"go", []string{"version"}, "1.26", needed, "install Go 1.26: it builds the bootstraps"},
	{"node", []string{"--version"}, "20.0", needed, "install Node.js 22: the CDK runs on it"},
	{filepath.Join("node_modules", ".bin", "cdk"), []string{"--version"}, "2.1148", needed, "make setup, in a clone, installs the CDK CLI that package.json pins"},
	{"python3", []string{"--version"}, "3.9", without, "install Python 3.10: make test-deploy needs it, and one way to a static Bash"},
	{"upx", []string{"--version"}, "", without, "install upx: arm rawtcp-upx is not measured"},
	{"mkfs.ext4", []string{"-V"}, "", without, "install e2fsprogs: cold packages in the lab fall back to posix_fadvise"},
}

// local checks this machine.
func local(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var found []finding
	_, err := os.Stat("package.json")
	for _, t := range tools {
		if err != nil { // the CDK and what builds bootstraps are a clone's
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
	if err != nil && name == t.name { // not in every user's PATH
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
	return finding{without, "images", "neither docker nor podman nor finch runs: make deploy builds images by itself (cmd/cdk-docker)"}
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

// lookTime bounds the time of the checks that ask others.
const lookTime = 30 * time.Second

// oneLine returns the first line that is not empty.
func oneLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// maxListing bounds a listing: far more than handlers/inspect returns.
const maxListing = 6 << 20

// compareRoots prints the differences between a listing and the lab on this machine.
func compareRoots(ctx context.Context, io streams, name string) error {
	text, err := readInput(name, maxListing)
	if err != nil {
		return fmt.Errorf("reading a listing: %w", err)
	}
	listing, err := root.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	here, err := lab.Inspect(ctx, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	if err != nil {
		return err
	}
	differ := root.Published().Compare(listing, here)
	unexplained := 0
	for _, d := range differ {
		state := without
		if d.Reason == "" {
			state, unexplained = needed, unexplained+1
		}
		fmt.Fprintf(io.out, "%s  %s: %s there, %s in the lab", state, d.Name, said(d.Lambda), said(d.Lab))
		if d.Reason != "" {
			fmt.Fprintf(io.out, " (%s)", d.Reason)
		}
		fmt.Fprintln(io.out)
	}
	fmt.Fprintf(io.out, "%d facts there, %d in the lab: %d differ, %d of them for no reason that is known\n", len(listing), len(here), len(differ), unexplained)
	if unexplained > 0 {
		return errFinding
	}
	return nil
}

func said(value string) string { return cmp.Or(value, "nothing") }
