package packages

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/packages/archive"
)

// Installed returns a workspace in the user's cache that can make packages with a bootstrap. Go bootstraps come from
// the folder "bootstraps" beside this program, as in a release. If there is none, they are built from the sources of
// the given version of this module.
func Installed(ctx context.Context, bootstrap, version string, log io.Writer) (*Workspace, error) {
	build, err := archive.Cache("build")
	if err != nil {
		return nil, err
	}
	w := &Workspace{Dir: build, Log: log}
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			w.Prebuilt = filepath.Join(filepath.Dir(self), "bootstraps")
		}
	}
	if _, err := os.Stat(w.Prebuilt); os.IsNotExist(err) && compiled(bootstrap) {
		w.ModuleDir, err = moduleDir(ctx, version)
		return w, err
	}
	return w, nil
}
