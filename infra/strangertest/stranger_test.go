package strangertest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// stranger is a user's folder with a copy of examples/, and an environment that finds Twinstart at the proxy.
type stranger struct {
	dir string
	env []string
}

func newStranger(t *testing.T) stranger {
	t.Helper()
	s := stranger{dir: filepath.Join(t.TempDir(), "my application")}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(repository, "examples"))); err != nil {
		t.Fatal(err)
	}
	proxy, version := newProxy(t)
	cache := strings.TrimSpace(s.run(t, "go", "env", "GOMODCACHE"))
	t.Cleanup(func() { // only this test needs it
		os.RemoveAll(filepath.Join(cache, modulePath+"@"+version))
		for _, leftover := range []string{".info", ".lock", ".mod", ".zip", ".ziphash"} {
			os.Remove(filepath.Join(cache, "cache", "download", modulePath, "@v", version+leftover))
		}
	})
	flags, err := os.ReadFile("../goflags")
	if err != nil {
		t.Fatal(err)
	}
	upstream := strings.TrimSpace(s.run(t, "go", "env", "GOPROXY"))
	compiled := strings.TrimSpace(s.run(t, "go", "env", "GOCACHE")) // XDG_CACHE_HOME would change it
	s.env = []string{"GOCACHE=" + compiled,                         // first: packs shares it with a clone
		"GOPROXY=" + proxy + "," + upstream, "GONOSUMDB=" + modulePath, "GOFLAGS=-modcacherw " + strings.TrimSpace(string(flags)), "XDG_CACHE_HOME=" + t.TempDir()}
	s.run(t, "go", "mod", "edit", "-dropreplace", modulePath, "-require", modulePath+"@"+version)
	s.run(t, "go", "mod", "tidy") // as every user does; after that go.mod does not change
	return s
}

func (s stranger) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}

type resource struct {
	Type       string
	Properties map[string]any
}

func TestFromTheModuleCache(t *testing.T) {
	need.Time(t)
	s := newStranger(t)
	t.Run("visits", func(t *testing.T) { visits(t, s.synth(t, ".", "Visits")) })
	t.Run("package", s.packs)
	t.Run("orders", func(t *testing.T) { orders(t, s, s.synth(t, "./orders", "assembly-Beta", "assembly-Prod")) })
}

// synth builds an application and runs it. It returns the assemblies with the given names, each with one stack.
func (s stranger) synth(t *testing.T, app string, names ...string) (assemblies []assembly) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cdk.out")
	program := filepath.Join(s.dir, "app")
	s.run(t, "go", "build", "-o", program, app)
	s.env = append(s.env, "CDK_OUTDIR="+out, `CDK_CONTEXT_JSON={"architecture": "`+hostArchitecture+`"}`)
	s.run(t, program)
	for _, name := range names {
		a := assembly{dir: filepath.Join(out, name)}
		if !strings.HasPrefix(name, "assembly-") {
			a.dir = out
		}
		found, err := filepath.Glob(filepath.Join(a.dir, "*.template.json"))
		if err != nil || len(found) != 1 {
			t.Fatalf("templates %v: %v", found, err)
		}
		text, err := os.ReadFile(found[0])
		if err == nil {
			err = json.Unmarshal(text, &a)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), repository) || strings.Contains(string(text), s.dir) {
			t.Errorf("%s holds a path of this machine", found[0])
		}
		if *cfnLint != "" {
			if out, err := exec.Command(*cfnLint, "--ignore-checks", "W3005", "E3601", "--", found[0]).CombinedOutput(); err != nil {
				t.Errorf("cfn-lint: %v\n%s", err, out)
			}
		}
		assemblies = append(assemblies, a)
	}
	return assemblies
}

var cfnLint = flag.String("cfn-lint", "", "path of cfn-lint, which make lint installs and which checks the templates")

var hostArchitecture = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

type assembly struct {
	dir       string
	Resources map[string]resource
}

func visits(t *testing.T, assemblies []assembly) {
	count := map[string]int{}
	var asset string
	for _, r := range assemblies[0].Resources {
		count[r.Type]++
		switch r.Type {
		case "AWS::Lambda::Function":
			asset, _ = r.Properties["Code"].(map[string]any)["S3Key"].(string)
		case "AWS::IAM::Policy":
			if policy := string(mustJSON(t, r.Properties)); !strings.Contains(policy, "dynamodb:Query") || strings.Contains(policy, "dynamodb:PutItem") {
				t.Errorf("the table's grant is %s, want reading alone", policy)
			}
		}
	}
	for _, kind := range []string{"AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Events::Rule", "AWS::Lambda::Permission", "AWS::DynamoDB::Table", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::Logs::LogGroup"} {
		if count[kind] != 1 {
			t.Errorf("%d of %s, want 1", count[kind], kind)
		}
	}
	packaged(t, filepath.Join(assemblies[0].dir, "asset."+asset))
}

// orders has a Go function as ZIP and as image, in two stages, with a tuner. The module was made by this test and does
// not know the tuner's program. The lab runs a stage without changes.
func orders(t *testing.T, s stranger, stages []assembly) {
	for i, stage := range []string{"Beta", "Prod"} {
		count := map[string]int{}
		for _, r := range stages[i].Resources {
			count[r.Type]++
		}
		if count["AWS::Lambda::Function"] != 3 || count["AWS::StepFunctions::StateMachine"] != 1 || count["AWS::CloudWatch::Dashboard"] != 1 {
			t.Errorf("%s has %v, want a pair, its tuner and its dashboard", stage, count)
		}
		if len(stages[i].Resources) > 60 {
			t.Errorf("%s has %d resources", stage, len(stages[i].Resources))
		}
	}
	twinstart := filepath.Join(t.TempDir(), "twinstart")
	cmd := exec.Command("go", "build", "-trimpath", "-o", twinstart, "./cmd/twinstart")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"Items": [{"Price": 7, "Quantity": 3}, {"Price": 2, "Quantity": 1}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, arm := range []string{"orders/zip", "orders/image"} {
		if got := s.run(t, twinstart, "invoke", arm, "--assembly", stages[0].dir, "--event", event); got != `{"stage":"Beta","total":23}` {
			t.Errorf("%s answers %s", arm, got)
		}
	}
}

// packs installs the command as users do, and packs a handler in an empty folder. The bytes must be the same as from a
// clone.
func (s stranger) packs(t *testing.T) {
	bin := t.TempDir()
	s.env = append(s.env, "GOBIN="+bin, "GOFLAGS=-modcacherw -trimpath") // uses what `make build` has compiled
	version := strings.TrimSpace(s.run(t, "go", "list", "-m", "-f", "{{.Version}}", modulePath))
	s.dir = t.TempDir()
	s.run(t, "go", "install", modulePath+"/cmd/twinstart@"+version)
	handler := filepath.Join(s.dir, "mine")
	if err := os.MkdirAll(handler, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(handler, "handler.sh"), []byte("run() { :; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"package", "mine", "--bootstrap", "rawsyscall", "--arch", "arm64", "-o"}
	s.run(t, filepath.Join(bin, "twinstart"), append(args, "fn.zip")...)
	packaged(t, filepath.Join(s.dir, "fn.zip"))
	args[1] = handler
	clone := stranger{repository, []string{s.env[0], "XDG_CACHE_HOME=" + t.TempDir()}}
	clone.run(t, filepath.Join(bin, "twinstart"), append(args, filepath.Join(s.dir, "clone.zip"))...)
	ours, err := os.ReadFile(filepath.Join(s.dir, "fn.zip"))
	theirs, other := os.ReadFile(filepath.Join(s.dir, "clone.zip"))
	if err != nil || other != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("from the module cache %d bytes, from a clone %d, not the same: %v %v", len(ours), len(theirs), err, other)
	}
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// packaged checks that the deployment package has the handler, and the bootstrap for the function's architecture.
func packaged(t *testing.T, path string) {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	modes := map[string]os.FileMode{}
	for _, f := range r.File {
		modes[f.Name] = f.Mode().Perm()
	}
	if modes["bootstrap"] != 0o755 || modes["handler.sh"] == 0 {
		t.Errorf("the package holds %v, want an executable bootstrap and handler.sh", modes)
	}
}

// The commands of README.md in examples/ run there. Its go.mod must need no changes, because the Go command makes none
// by itself.
func TestExamplesAreUpToDate(t *testing.T) {
	cmd := exec.Command("go", "list", "-mod=readonly", "-deps", "./...")
	cmd.Dir = filepath.Join(repository, "examples")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: call GOFLAGS=-mod=mod go list -deps ./... in examples/:\n%s", err, out)
	}
}
