package lab

import (
	"errors"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/managed"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// code is a deployment package.
type code struct {
	load    sync.Mutex // held while the fields below are made at first use; after a failure the next use tries again
	loaded  bool
	pkg     *coldfs.Package
	image   *deployment.Image // nil for a ZIP
	atRoot  bool              // the package's paths start at /
	start   string            // the program that a ZIP starts
	runtime *managed.Runtime  // nil without a managed runtime
	counted *counts.Counts    // nil if nothing was counted
	uid     int               // see sandbox.Spec
}

// ready prepares the package for mounting. It does the work only once.
func (f *function) ready() error {
	f.load.Lock()
	defer f.load.Unlock()
	if f.loaded {
		return nil
	}
	if err := f.loadPackage(); err != nil {
		return err
	}
	if count := f.lab.options.Count; count != nil {
		f.counted = count(f.source)
	}
	f.loaded = true
	return nil
}

func (f *function) loadPackage() error {
	p, err := deployment.Of(f.source)
	if missing := (*deployment.EntrypointError)(nil); errors.As(err, &missing) { // Lambda accepts such a ZIP, and each start fails
		if p, err = deployment.Code(f.source.Package); err == nil {
			f.pkg, err = p.Add(f.lab.store, deployment.Needs{})
		}
		return err
	}
	if err != nil {
		return err
	}
	var needs deployment.Needs
	if f.atRoot, f.start = p.AtRoot, p.Bootstrap; f.source.Managed() {
		if f.runtime == nil { // else it is being prepared
			f.runtime, err = managed.Find(f.source.Runtime)
		}
		if err == nil {
			f.start, err = managed.Bootstrap, f.runtime.Warm()
		}
		if err != nil {
			return err
		}
	}
	if f.image = p.Image; f.image != nil {
		needs.Folders = []string{sandbox.TaskRoot}
		if f.image.Scratch {
			needs.Folders = MountPoints()
		}
	}
	f.pkg, err = p.Add(f.lab.store, needs)
	return err
}

var managedBases = regexp.MustCompile(`/lambda/(nodejs|python|java|dotnet|ruby)(:|$)`)

// managedBase says why an image does not run here whose entry point is that of a managed runtime's base image.
func managedBase(f *assembly.Function) (why string) {
	if f.Dockerfile == "" || f.ImageConfig.EntryPoint != nil {
		return ""
	}
	image, err := dockerfile.Parse(filepath.Join(f.Package, f.Dockerfile), dockerfile.Options{})
	if err != nil || image.Entrypoint != nil || !managedBases.MatchString(image.From) { // of errors opening the package says more
		return ""
	}
	return "its image begins with " + image.From + ", whose runtime the lab has for ZIPs only: --source aws measures it"
}
