package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// Package is a deployment package, and how its function is configured.
type Package struct {
	*deployment.Package
	Handler      string // "" is handler.run, for what is not an image
	MemorySizeMB int    // 0 is 1024
	Environment  map[string]string
	Event        string // of the first invocation, where Options has none; "" is {}

	command []string // of an image
}

// Open finds out what lies at a path.
func Open(path string) (*Package, error) {
	p, err := deployment.Open(path)
	if err != nil {
		return nil, err
	}
	out := &Package{Package: p}
	if p.Image != nil {
		out.command = p.Image.Command(nil, nil)
	}
	return out, nil
}

// Of is a function of an assembly.
func Of(f assembly.Function) (*Package, error) {
	p, err := deployment.Of(f)
	if err != nil {
		return nil, err
	}
	out := &Package{Package: p, Handler: f.Handler, MemorySizeMB: f.MemorySizeMB, Environment: f.Environment, Event: f.Identity.Event}
	if p.Image != nil {
		out.command = p.Image.Command(f.ImageConfig.EntryPoint, f.ImageConfig.Command)
		if dir := f.ImageConfig.WorkingDirectory; dir != "" {
			p.Image.WorkingDir = dir
		}
	}
	return out, nil
}

func (p *Package) event(given []byte) []byte { return arm.Identity{Event: p.Event}.Payload(given) }

func (p *Package) scratch() bool { return p.Image != nil && p.Image.Scratch }

// needs are the folders that a root file system must have to be mounted on, and a file to bind an emulator on.
func (p *Package) needs() (n deployment.Needs) {
	if p.scratch() {
		n = deployment.Needs{Folders: append(lab.MountPoints(), sandbox.TaskRoot), Files: []string{emulatorPath}}
	}
	return n
}

// dir is where its bootstrap starts.
func (p *Package) dir() string {
	if p.Image == nil {
		return sandbox.TaskRoot
	}
	return p.Image.Dir()
}

// variables are an image's own.
func (p *Package) variables() []string {
	if p.Image == nil {
		return nil
	}
	return p.Image.Env
}

// signs are what programs write that need more than a probe gives them.
var signs = []struct {
	pattern *regexp.Regexp
	needs   string
}{
	{regexp.MustCompile(`(?i)unable to locate credentials|NoCredentialProviders|failed to (refresh cached|retrieve) credentials|get (identity|credentials)|CredentialsNotLoaded|no valid credential|InvalidClientTokenId|UnrecognizedClientException|AWS_ACCESS_KEY_ID`),
		"it needs AWS credentials in INIT, and a probe has none: set variables with --env, or move the call into the handler"},
	{regexp.MustCompile(`(?i)no such host|could not resolve|name or service not known|temporary failure in name resolution|network is unreachable|connection refused|no route to host|i/o timeout|connection timed out|dns error`),
		"it needs the network in INIT, and what it wants to reach is not here: point it elsewhere with --env, or move the call into the handler"},
	{regexp.MustCompile(`(?i)version .GLIBC_[0-9.]+. not found`), "it needs a newer C library than this base has"},
	{regexp.MustCompile(`(?i)error while loading shared libraries|cannot open shared object`), "it needs a library that neither the package nor this base has"},
	{regexp.MustCompile(`(?i)exec format error`), "it starts a program of another architecture, which needs binfmt_misc"},
}

// needs says what an output gives away of what was missing.
func needs(output string) string {
	for _, s := range signs {
		if s.pattern.MatchString(output) {
			return "; " + s.needs
		}
	}
	return ""
}

// waitsFor says which addresses the processes below pid are connected to, or want to be, other than the Runtime API.
func waitsFor(pid int, api string) string {
	inodes := map[string]bool{}
	for p := range usage.Tree(pid) {
		links, _ := filepath.Glob("/proc/" + strconv.Itoa(p) + "/fd/*")
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil {
				if inode, ok := strings.CutPrefix(target, "socket:["); ok {
					inodes[strings.TrimSuffix(inode, "]")] = true
				}
			}
		}
	}
	var remote []string
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/tcp")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 10 || !inodes[fields[9]] {
			continue
		}
		address := decodeAddress(fields[2])
		if address != "" && address != api {
			remote = list.Add(remote, address)
		}
	}
	if len(remote) == 0 {
		return ""
	}
	return "; it waits for " + strings.Join(remote, ", ") + ": it needs the network in INIT"
}

// decodeAddress reads an address of /proc/net/tcp: little endian, in hexadecimal.
func decodeAddress(s string) string {
	ip, port, ok := strings.Cut(s, ":")
	n, err := strconv.ParseUint(ip, 16, 32)
	p, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || p == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d:%d", n&255, n>>8&255, n>>16&255, n>>24, p)
}
