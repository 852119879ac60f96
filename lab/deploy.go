package lab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/deployment"
)

// Create creates a function.
func (l *Lab) Create(c api.Configuration, code api.Code) (api.Configuration, error) {
	a := arm.Architecture(c.Architecture)
	f := assembly.Function{LogicalID: c.Name, Identity: arm.Identity{Arm: c.Name, Architecture: a}, Architecture: a,
		PackageType: assembly.PackageType(c.PackageType), Runtime: c.Runtime, Handler: c.Handler,
		TimeoutSeconds: c.TimeoutSeconds, MemorySizeMB: c.MemorySizeMB, EphemeralStorageMB: c.EphemeralStorageMB,
		Environment: c.Environment, ImageConfig: assembly.ImageConfig(c.Image)}
	if why, _ := l.unable(&f); why != "" {
		return api.Configuration{}, api.Invalid(why)
	}
	sent, err := l.open(f, code)
	if err != nil {
		return api.Configuration{}, err
	}
	made := newFunction(sent, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.functions[c.Name]; taken {
		return api.Configuration{}, api.Conflict("Function already exist: " + c.Name) // AWS's words
	}
	l.functions[c.Name] = made
	l.listed = append(l.listed, made)
	return made.configuration(), nil
}

// open unpacks the code that was sent for a function.
func (l *Lab) open(f assembly.Function, sent api.Code) (*code, error) {
	if f.Package = sent.Image; sent.Image == "" {
		f.Package = filepath.Join(l.store.Dir, "sent", coldfs.Digest(string(sent.ZIP))+".zip")
		f.PackageSizeBytes = int64(len(sent.ZIP))
		err := os.MkdirAll(filepath.Dir(f.Package), 0o755)
		if err = errors.Join(err, os.WriteFile(f.Package, sent.ZIP, 0o644)); err != nil {
			return nil, fmt.Errorf("keeping the code: %w", err)
		}
	} else if f.Dockerfile = ""; !filepath.IsAbs(sent.Image) {
		return nil, badImage(sent.Image, "here it is the absolute path of an OCI layout's folder")
	}
	made := &code{lab: l, source: f}
	err := made.ready()
	if err == nil && (made.image != nil) != (f.PackageType == assembly.Image) {
		err = errors.New("it is not of the package type " + string(f.PackageType))
	}
	var managed *deployment.ManagedError
	switch {
	case err == nil:
		return made, nil
	case errors.As(err, &managed):
		return nil, api.Invalid(managed.Error())
	case f.PackageType == assembly.Image:
		return nil, badImage(sent.Image, err.Error())
	}
	const message = "Could not unzip uploaded file. Please check your file, then try to upload again. "
	return nil, api.Invalid(message + err.Error())
}

func badImage(image, why string) error {
	return api.Invalid("Source image " + image + " is not valid. Provide a valid source image: " + why)
}

// UpdateCode replaces a function's code. The function's versions do not change.
func (l *Lab) UpdateCode(name string, sent api.Code) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	return f.change(api.Update{RevisionID: sent.RevisionID}, func(was setting) (*code, error) {
		f.layered = map[string]*code{}
		return l.open(was.code.source, sent)
	})
}

// Delete deletes a function and its versions. Running invocations continue.
func (l *Lab) Delete(name string) error {
	f, err := l.latest(name)
	if err != nil {
		return err
	}
	l.mu.Lock()
	maps.DeleteFunc(l.functions, func(_ string, of *function) bool { return of == f })
	l.listed = slices.DeleteFunc(l.listed, func(of *function) bool { return of == f })
	l.mu.Unlock()
	f.each(func(v *function) { v.withdraw() })
	return nil
}

// Concurrency returns the limit of concurrent invocations.
func (l *Lab) Concurrency() int { return cap(l.slots) }

// Reserve changes a function's reserved concurrency.
func (l *Lab) Reserve(name string, n *int) error {
	f, err := l.latest(name)
	if err != nil {
		return err
	}
	if n != nil && *n > cap(l.slots) {
		return api.Invalid(fmt.Sprintf("Specified ReservedConcurrentExecutions for function is more than "+
			"the lab's concurrency, %d", cap(l.slots)))
	}
	f.reserved.limit.Store(n)
	return nil
}

// reservation is a limit of concurrent invocations.
type reservation struct {
	limit   atomic.Pointer[int] // nil means no limit
	running atomic.Int64
}

func (r *reservation) enter() bool {
	limit, running := r.limit.Load(), r.running.Add(1)
	if limit != nil && running > int64(*limit) {
		r.leave()
		return false
	}
	return true
}

func (r *reservation) leave() { r.running.Add(-1) }

// maxEnding is how many environments may be ending in the background; see settle.
const maxEnding = 32
