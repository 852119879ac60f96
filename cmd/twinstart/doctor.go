package main

import (
	"context"
	"fmt"
	goio "io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// doctorCommand looks for what is missing.
type doctorCommand struct {
	Local bool `help:"Look at this machine alone, not at an AWS account."`
}

// Help is printed below the flags.
func (doctorCommand) Help() string {
	return `ok: there.  --: missing, and done without as the line says.  !!: missing and needed, so that the exit status is 1.
What make needs it installs itself where it may: make setup.`
}

// finding is what one look came to.
type finding struct {
	state  state
	what   string
	detail string // what is there, or how to get it
}

type state string

const (
	fine    state = "ok"
	without state = "--"
	needed  state = "!!"
)

// Run prints one line a look.
func (c *doctorCommand) Run(ctx context.Context, io streams) error {
	found := local(ctx)
	if !c.Local {
		found = append(found, account(ctx)...)
	}
	return tell(io.out, found)
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

// tool is a program that something needs.
type tool struct {
	name    string
	version []string // arguments that print it
	absent  state
	remedy  string
}

var tools = []tool{
	{"go", []string{"version"}, needed, "install Go 1.26: it builds the bootstraps"},
	{"node", []string{"--version"}, needed, "install Node.js 22: the CDK runs on it"},
	{filepath.Join("node_modules", ".bin", "cdk"), []string{"--version"}, needed, "make setup installs the CDK CLI that package.json pins"},
	{"python3", []string{"--version"}, without, "install Python 3.10: make test-deploy needs it, and one way to a static Bash"},
	{"upx", []string{"--version"}, without, "install upx: arm rawtcp-upx is not measured"},
	{"mkfs.ext4", []string{"-V"}, without, "install e2fsprogs: cold packages in the lab fall back to posix_fadvise"},
}

// local looks at this machine.
func local(ctx context.Context) []finding {
	var found []finding
	for _, t := range tools {
		path, err := exec.LookPath(t.name)
		if err != nil && !strings.ContainsRune(t.name, filepath.Separator) { // where a login shell does not look
			path, err = exec.LookPath(filepath.Join("/usr/sbin", t.name))
		}
		if err != nil {
			found = append(found, finding{t.absent, filepath.Base(t.name), t.remedy})
			continue
		}
		found = append(found, finding{fine, filepath.Base(t.name), firstLine(ctx, path, t.version...)})
	}
	return append(found, images(ctx), privileges())
}

// images says what builds container images.
func images(ctx context.Context) finding {
	for _, client := range [][]string{{"docker", "version", "--format", "{{.Server.Version}}"}, {"podman", "info", "--format", "{{.Version.Version}}"}, {"finch", "info", "--format", "{{.ServerVersion}}"}} {
		if path, err := exec.LookPath(client[0]); err == nil {
			if answer, err := output(ctx, path, client[1:]...); err == nil {
				return finding{fine, "images", client[0] + " " + oneLine(answer)}
			}
		}
	}
	return finding{without, "images", "neither docker nor podman nor finch runs: make deploy builds images by itself (images/cmd/cdk-docker)"}
}

// privileges says whether the lab can do all that it does.
func privileges() finding {
	if os.Geteuid() == 0 {
		return finding{fine, "root", "the lab mounts packages cold and limits CPU and memory"}
	}
	return finding{without, "root", "run as root for packages mounted cold and CPU and memory limits; the report says what differs without"}
}

// lookTime is how long one look may take.
const lookTime = 10 * time.Second

func output(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func firstLine(ctx context.Context, path string, args ...string) string {
	text, err := output(ctx, path, args...)
	if err != nil {
		return "is there, but does not tell its version: " + oneLine(err.Error())
	}
	return oneLine(text)
}

// oneLine is the first line that says something.
func oneLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
