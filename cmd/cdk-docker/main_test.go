package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// asCommand makes the test binary the command itself, so that the CDK CLI can be given it. memoryFile is where that
// says, if all went well, how many bytes it got from the system at most: its parent's count in what wait4 tells.
const (
	asCommand  = "TWINSTART_TEST_AS_COMMAND"
	memoryFile = "TWINSTART_TEST_MEMORY_FILE"
)

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	main()
	if name := os.Getenv(memoryFile); name != "" {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if err := os.WriteFile(name, []byte(strconv.FormatUint(memory.Sys, 10)), 0o600); err != nil {
			panic(err)
		}
	}
}

// command is the command in a process of its own, with a store of its own and none of this user's settings.
type command struct {
	t     *testing.T
	store string
	dir   string
}

func newCommand(t *testing.T, files map[string]string) *command {
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &command{t, t.TempDir(), dir}
}

func (c *command) env() []string {
	return append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0", memoryFile+"="+filepath.Join(c.store, "memory"), "TWINSTART_IMAGES="+c.store, "HOME="+c.dir, "DOCKER_CONFIG="+c.dir, "XDG_CONFIG_HOME="+c.dir)
}

type outcome struct {
	status         int
	stdout, stderr string
}

func (c *command) run(stdin string, args ...string) outcome {
	c.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.dir, c.env(), strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// memory is what the last run had, in bytes.
func (c *command) memory() int {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.store, "memory"))
	if err != nil {
		c.t.Fatal(err)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// ok is run for what must succeed.
func (c *command) ok(args ...string) outcome {
	c.t.Helper()
	out := c.run("", args...)
	if out.status != 0 {
		c.t.Fatalf("%s: status %d, %s", args, out.status, out.stderr)
	}
	return out
}

// newRegistry serves a registry on loopback that wants the password of user AWS, and refuses requests of some methods.
func newRegistry(t *testing.T, password string, refused ...string) (host string) {
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, got, _ := r.BasicAuth(); password != "" && (user != "AWS" || got != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if slices.Contains(refused, r.Method) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// What the CDK CLI calls, in its order, each a process.
func TestTheCallsOfTheCLI(t *testing.T) {
	const secret = "a very secret token"
	host := newRegistry(t, secret)
	c := newCommand(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY f /\n", "f": "content"})
	local, remoteName := "cdkasset-0123abcd", host+"/cdk-assets:0123abcd"

	out := c.run(secret, "login", "--username", "AWS", "--password-stdin", host)
	if out.status != 0 {
		t.Fatalf("login: %+v", out)
	}
	said := out.stdout + out.stderr
	if out := c.run("", "inspect", local); out.status != exitFailed || out.stdout != "" {
		t.Errorf("inspect of what is not there: %+v", out)
	}
	out = c.ok("build", "--build-arg", "TOKEN="+secret, "--tag", local, "--file", "Dockerfile", "--platform", "linux/arm64",
		"--cache-from", "type=registry,ref=x", "--no-cache", ".")
	said += out.stdout + out.stderr
	if n := strings.Count(out.stderr, "\n"); n != 1 {
		t.Errorf("build says %d lines: want one for the image:\n%s", n, out.stderr)
	}
	c.ok("inspect", local)
	c.ok("tag", local, remoteName)
	out = c.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*/*:0123abcd")
	if out.stdout != remoteName+"\n" {
		t.Errorf("images: %q: want %q", out.stdout, remoteName)
	}
	out = c.ok("push", remoteName)
	said += out.stdout + out.stderr
	if strings.Contains(said, secret) {
		t.Errorf("the password shows:\n%s", said)
	}
	if again := c.ok("push", remoteName); !strings.Contains(again.stderr, "pushed: sha256:") {
		t.Errorf("a second push: %s", again.stderr)
	}
}

// The CDK CLI gives --config where its user has credential helpers for base images.
func TestABaseBehindALogin(t *testing.T) {
	const secret = "another token"
	host := newRegistry(t, secret)
	ref, err := name.ParseReference(host + "/base:1")
	if err != nil {
		t.Fatal(err)
	}
	base, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, base, remote.WithAuth(&authn.Basic{Username: "AWS", Password: secret})); err != nil {
		t.Fatal(err)
	}
	c := newCommand(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY Dockerfile /\n"})
	if out := c.run("", "build", "--tag", "x", "--platform", "linux/arm64", "."); out.status != exitFailed ||
		!strings.Contains(out.stderr, "not logged in") {
		t.Errorf("without a login: %+v", out)
	}
	config := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("AWS:" + secret))
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ok("--config", config, "build", "--tag", "x", "--platform", "linux/arm64", ".")
	if out := c.run("", "--config="+config, "build", "--tag", "x", "--platform", "linux/amd64", "."); out.status != exitUsage ||
		!strings.Contains(out.stderr, "it offers linux/arm64") {
		t.Errorf("another platform: %+v", out)
	}
}

// choose keeps what the user chose, takes a client that works, and stands in where none does.
func TestChoose(t *testing.T) {
	c := newCommand(t, nil)
	bin := t.TempDir()
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("CDK_DOCKER", "/their/own")
	if got := c.ok("choose").stdout; got != "/their/own\n" {
		t.Errorf("%q: want what CDK_DOCKER says", got)
	}
	t.Setenv("CDK_DOCKER", "")
	t.Setenv("PATH", bin)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ok("choose").stdout; got != self+"\n" {
		t.Errorf("%q: want this program", got)
	}
	for _, client := range []struct{ name, script, want string }{
		{"docker", "#!/bin/sh\necho no daemon >&2\nexit 1\n", self},
		{"finch", "#!/bin/sh\n", "finch"},
		{"podman", "#!/bin/sh\n", "podman"},
		{"docker", "#!/bin/sh\necho 28.2.2\n", "docker"},
	} {
		if err := os.WriteFile(filepath.Join(bin, client.name), []byte(client.script), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := c.ok("choose").stdout; got != client.want+"\n" {
			t.Errorf("with %s: %q: want %s", client.name, got, client.want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	c := newCommand(t, map[string]string{"Dockerfile": "FROM scratch\n", "runs": "FROM scratch\nRUN true\n"})
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"", exitUsage, "expected one of "},
		{"run --rm x", exitUsage, "unexpected argument run"},
		{"--host x build .", exitUsage, "unknown flag --host"},
		{"--config", exitUsage, "--config: expected string value"},
		{"build --tag x --file runs .", exitUsage, "runs:2: RUN needs Docker"},
		{"build --nonsense .", exitUsage, "unknown flag --nonsense: without Docker only the commands that the CDK CLI calls work: build, "},
		{"build --tags x .", exitUsage, "unknown flag --tags"},
		{"build --platform", exitUsage, "--platform: expected string value"},
		{"build --target x .", exitUsage, "unknown flag --target"},
		{"build --secret id=x .", exitUsage, "unknown flag --secret"},
		{"build --output=type=tar,dest=x .", exitUsage, "unknown flag --output"},
		{"build --platform linux/riscv64 .", exitUsage, "build: platform \"linux/riscv64\": Lambda runs"},
		{"build -", exitUsage, "build: stat -/Dockerfile: no such file"},
		{"build https://example.com/x.git", exitUsage, "build: stat https:/example.com/x.git/Dockerfile: no such file"},
		{"build", exitUsage, "expected \"<context>\""},
		{"build . .", exitUsage, "unexpected argument ."},
		{"build none", exitUsage, "build: stat none/Dockerfile: no such file"},
		{"tag x", exitUsage, "expected \"<target>\""},
		{"tag x y", exitFailed, "no such image: x"},
		{"push x", exitFailed, "no such image: x"},
		{"push", exitUsage, "expected \"<name>\""},
		{"inspect", exitUsage, "expected \"<name>\""},
		{"inspect x", exitFailed, "no such image: x"},
		{"images --filter dangling=true", exitUsage, "images: --filter dangling=true"},
		{"images --filter reference=[", exitUsage, "images: --filter reference=["},
		{"images --format {{.ID}}", exitUsage, "--format must be one of "},
		{"login --username x host", exitUsage, "missing flags: --password-stdin"},
		{"login --username x --password y host", exitUsage, "unknown flag --password"},
		{"login --username x --password-stdin host", exitUsage, "login: stdin holds no password"},
		{"login --password-stdin host", exitUsage, "missing flags: --username"},
	} {
		out := c.run("", strings.Fields(test.args)...)
		if out.status != test.status || !strings.HasPrefix(out.stderr, "cdk-docker: "+test.want) || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q: want %d and one line that starts %q", test.args, out.status, out.stderr, test.status, test.want)
		}
	}
}

// A store that does not work is not "no such image", which would have the CDK CLI build on.
func TestABrokenStore(t *testing.T) {
	c := newCommand(t, nil)
	c.store = filepath.Join(c.dir, "file")
	if err := os.WriteFile(c.store, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := c.run("", "inspect", "x"); out.status != exitStore {
		t.Errorf("%+v: want status %d", out, exitStore)
	}
	c = newCommand(t, nil)
	c.ok("images")
	if err := os.WriteFile(filepath.Join(c.dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ok("build", "--tag", "x", ".")
	names, err := filepath.Glob(filepath.Join(c.store, "names", "*", "index.json"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := os.WriteFile(names[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := c.run("", "inspect", "x"); out.status != exitStore || !strings.Contains(out.stderr, "remove "+c.store) {
		t.Errorf("%+v: want status %d and what to do", out, exitStore)
	}
}
