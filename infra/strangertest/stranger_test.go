package strangertest

import (
	"archive/zip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// stranger is somebody's folder with a copy of examples/ and an environment that finds Twinstart at the proxy.
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
	t.Cleanup(func() { // it was for this test alone
		os.RemoveAll(filepath.Join(cache, modulePath+"@"+version))
		for _, leftover := range []string{".info", ".lock", ".mod", ".zip", ".ziphash"} {
			os.Remove(filepath.Join(cache, "cache", "download", modulePath, "@v", version+leftover))
		}
	})
	upstream := strings.TrimSpace(s.run(t, "go", "env", "GOPROXY"))
	compiled := strings.TrimSpace(s.run(t, "go", "env", "GOCACHE")) // which would move with XDG_CACHE_HOME
	s.env = []string{"GOCACHE=" + compiled, "GOPROXY=" + proxy + "," + upstream, "GONOSUMDB=" + modulePath, "GOFLAGS=-mod=mod -trimpath -modcacherw", "XDG_CACHE_HOME=" + t.TempDir()}
	s.run(t, "go", "mod", "edit", "-dropreplace", modulePath, "-require", modulePath+"@"+version)
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
	s.run(t, "go", "build", "-o", "app", ".")
	s.env = append(s.env, "CDK_OUTDIR="+filepath.Join(s.dir, "cdk.out"))
	s.run(t, filepath.Join(s.dir, "app"))

	text, err := os.ReadFile(filepath.Join(s.dir, "cdk.out", "Visits.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), repository) || strings.Contains(string(text), s.dir) {
		t.Error("the template holds a path of this machine")
	}
	var template struct{ Resources map[string]resource }
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	var asset string
	for _, r := range template.Resources {
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
	packaged(t, filepath.Join(s.dir, "cdk.out", "asset."+asset))
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// packaged checks that the deployment package has the bootstrap, for the function's architecture, and the handler.
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

// What README.md of examples/ says is run in place: its go.mod must not want changes, which the Go command makes for nobody.
func TestExamplesAreUpToDate(t *testing.T) {
	cmd := exec.Command("go", "list", "-mod=readonly", "-deps", ".")
	cmd.Dir = filepath.Join(repository, "examples")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: call GOFLAGS=-mod=mod go list -deps . in examples/:\n%s", err, out)
	}
}
