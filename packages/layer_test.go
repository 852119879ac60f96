package packages_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// TestLayersRunPlainFolders runs, in the lab, a folder with only a handler together with a layer of each bootstrap.
func TestLayersRunPlainFolders(t *testing.T) {
	need.Time(t)
	ctx, a := context.Background(), arm.Host()
	w := workspace()
	var functions []assembly.Function
	for _, b := range packages.Bootstraps() {
		layer, err := w.Layer(ctx, b.Name, a)
		if !available(t, err) {
			t.Run(b.Name, func(t *testing.T) { need.No(t, err) })
			continue
		}
		functions = append(functions, assembly.Function{LogicalID: b.Name, PackageType: assembly.Zip, Package: handler(t), Layers: []string{layer}, Architecture: a,
			Handler: "handler.run", MemorySizeMB: 512, TimeoutSeconds: 10, Identity: arm.Identity{Experiment: "layers", Arm: b.Name, Bootstrap: b.Name, Package: arm.ZIP}})
	}
	l, err := lab.New(lab.Options{Functions: functions})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, missing := range l.NotMeasured() {
		t.Errorf("%s: %s", missing.Arm, missing.Why)
	}
	for _, f := range l.Functions() {
		answer, err := l.Invoke(f.Name(), api.Invocation{Payload: []byte(`{"n": 1}`)})
		if err != nil || string(answer.Payload) != `{"n": 1}` {
			t.Errorf("%s: %q %v %s", f.LogicalID, answer.Payload, err, answer.Log)
		}
	}
}

// TestLicenceGoesAlong checks that the licence of the static Bash is in function and layer, but only if it was
// requested.
func TestLicenceGoesAlong(t *testing.T) {
	ctx := context.Background()
	for _, licences := range []bool{false, true} {
		w := workspace()
		w.Licences = licences
		layer, err := w.Layer(ctx, "bashtcp-static", arm.X8664)
		if !available(t, err) {
			need.No(t, err)
			return
		}
		fn, err := w.ZIP(ctx, "bashtcp-static", arm.X8664, handler(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{layer, fn} {
			files := unzip(t, path)
			for name, holds := range map[string]string{"COPYING": "GNU GENERAL PUBLIC LICENSE", "README.md": "https://ftp.gnu.org/gnu/bash/bash-5.2.15.tar.gz", "recipe.sh": "configure"} {
				if text := files["bash-licence/"+name]; strings.Contains(text, holds) != licences {
					t.Errorf("licences %v: %s of %s is %.40q", licences, name, filepath.Base(path), text)
				}
			}
		}
		other, err := w.Layer(ctx, "bashtcp", arm.X8664)
		if err != nil || unzip(t, other)["bash-licence/COPYING"] != "" {
			t.Errorf("a layer without the static Bash has its licence, %v", err)
		}
	}
}

// TestPrebuiltNeedsNoGo builds packages from the bootstraps of a release.
func TestPrebuiltNeedsNoGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	brought := t.TempDir()
	for _, name := range []string{"rawtcp", "nethttp"} {
		write(t, filepath.Join(brought, name, "arm64", "bootstrap"), name+strings.Repeat("!", len(name)))
	}
	w := &packages.Workspace{Dir: t.TempDir(), Prebuilt: brought}
	for bootstrap, want := range map[string]string{"nethttp": "nethttp!!!!!!!", "rawtcp": "rawtcp!!!!!!"} {
		path, err := w.ZIP(context.Background(), bootstrap, arm.ARM64, handler(t))
		if err != nil || unzip(t, path)["bootstrap"] != "-rwxr-xr-x"+want {
			t.Errorf("%s: %v", bootstrap, err)
		}
	}
	if _, err := w.ZIP(context.Background(), "rawsyscall", arm.ARM64, handler(t)); err == nil || !strings.Contains(err.Error(), "install Go") || !strings.Contains(err.Error(), "released archive") {
		t.Errorf("a bootstrap that the release lacks: %v", err)
	}
}
