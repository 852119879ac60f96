package lab

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/packages/archive"
)

// Create creates a function.
func (l *Lab) Create(_ context.Context, c api.Configuration, code api.Code) (api.Configuration, error) {
	f := assembly.Function{LogicalID: c.Name, Identity: arm.Identity{Arm: c.Name, Architecture: arm.Architecture(c.Architecture)}, PackageType: assembly.PackageType(c.PackageType),
		Runtime: c.Runtime, Handler: c.Handler, Description: c.Description, TimeoutSeconds: c.TimeoutSeconds, MemorySizeMB: c.MemorySizeMB,
		EphemeralStorageMB: c.EphemeralStorageMB, Environment: c.Environment, Architecture: arm.Architecture(c.Architecture), LogGroup: c.LogGroup,
		LogFormat: assembly.LogFormat(c.LogFormat), ImageConfig: assembly.ImageConfig(c.Image)}
	if err := checkVariables(c.Environment); err != nil {
		return api.Configuration{}, err
	}
	if why, _ := l.unable(&f); why != "" {
		return api.Configuration{}, api.Invalid(why)
	}
	made, err := l.withCode(f, code)
	if err != nil {
		return api.Configuration{}, err
	}
	made.config.Extra = c.Extra
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.functions[c.Name]; taken {
		return api.Configuration{}, api.Conflict("Function already exist: " + c.Name)
	}
	l.functions[c.Name] = made
	l.listed = append(l.listed, made.source)
	return made.configuration(), nil
}

// withCode returns a function with this code. Its package is already unpacked.
func (l *Lab) withCode(f assembly.Function, code api.Code) (*function, error) {
	if f.Package = code.Image; code.Image == "" {
		f.Package = filepath.Join(l.store.Dir, "sent", coldfs.Digest(string(code.ZIP))+".zip")
		f.PackageSizeBytes = int64(len(code.ZIP))
		if err := errors.Join(os.MkdirAll(filepath.Dir(f.Package), 0o755), os.WriteFile(f.Package, code.ZIP, 0o644)); err != nil {
			return nil, fmt.Errorf("keeping the code: %w", err)
		}
	} else if f.Dockerfile = ""; !filepath.IsAbs(code.Image) {
		return nil, api.Invalid("Source image " + code.Image + " is not valid. Provide a valid source image: here it is the absolute path of an OCI layout's folder")
	}
	made := newFunction(l, f)
	err := made.ready()
	if image := made.image; err == nil && (image != nil) != (f.PackageType == assembly.Image) {
		err = fmt.Errorf("%s is not an image", code.Image)
	}
	var managed *deployment.ManagedError
	switch {
	case err == nil:
		return made, nil
	case errors.As(err, &managed):
		return nil, api.Invalid(managed.Error())
	case f.PackageType == assembly.Image:
		return nil, api.Invalid("Source image " + code.Image + " is not valid. Provide a valid source image: " + err.Error())
	}
	return nil, api.Invalid("Could not unzip uploaded file. Please check your file, then try to upload again. " + err.Error())
}

// UpdateCode replaces a function's code. The function's versions do not change.
func (l *Lab) UpdateCode(_ context.Context, name string, code api.Code) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	f.updating.Lock()
	defer f.updating.Unlock()
	old := f.configuration()
	if code.RevisionID != "" && code.RevisionID != old.RevisionID {
		return api.Configuration{}, api.PreconditionFailed()
	}
	made, err := l.withCode(f.source, code)
	if err != nil {
		return api.Configuration{}, err
	}
	size := made.config.CodeSize
	made.config = changed(old, api.Update{})
	made.config.CodeSize, made.config.CodeSHA256 = size, ""
	made.layered = &sync.Map{}
	return l.replace(f, made)
}

// replace puts a function with other code in a function's place. The caller holds f.updating.
func (l *Lab) replace(f, made *function) (api.Configuration, error) {
	made.published, made.reserved, made.own = f.published, f.reserved, f.own
	l.mu.Lock()
	replaced := l.functions[f.source.Name()] == f
	for called, of := range l.functions {
		if of == f {
			l.functions[called] = made
		}
	}
	l.mu.Unlock()
	if !replaced { // another request has replaced it at the same time
		return api.Configuration{}, api.Conflict("The operation cannot be performed at this time. An update is in progress for resource: " + made.config.ARN)
	}
	f.settle(f.withdraw())
	if next, err := made.prepare(made.config, made.generation); err == nil { // if not, Invoke reports the error
		made.offer(next)
	}
	return made.configuration(), nil
}

// Delete deletes a function and its versions. Running invocations continue.
func (l *Lab) Delete(name string) error {
	f, err := l.latest(name)
	if err != nil {
		return err
	}
	l.mu.Lock()
	maps.DeleteFunc(l.functions, func(_ string, of *function) bool { return of == f })
	l.listed = slices.DeleteFunc(l.listed, func(of assembly.Function) bool { return of.Name() == f.source.Name() })
	l.mu.Unlock()
	f.withdraw()
	f.published.each(func(v *function) { v.withdraw() })
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
		return api.Invalid(fmt.Sprintf("Specified ReservedConcurrentExecutions for function is more than the lab's concurrency, %d", cap(l.slots)))
	}
	f.reserved.set(n)
	return nil
}

// reservation is a limit of concurrent invocations.
type reservation struct {
	mu      sync.Mutex
	limit   *int // nil means no limit
	running int
}

func (r *reservation) set(limit *int) {
	r.mu.Lock()
	r.limit = limit
	r.mu.Unlock()
}

func (r *reservation) get() *int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limit
}

func (r *reservation) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit != nil && r.running >= *r.limit {
		return false
	}
	r.running++
	return true
}

func (r *reservation) leave() {
	r.mu.Lock()
	r.running--
	r.mu.Unlock()
}

// codeSHA returns the digest as Lambda reports it: of the ZIP file, in base64; "" if there is none.
func (f *function) codeSHA() string {
	if f.source.PackageType != assembly.Zip || !strings.HasSuffix(f.source.Package, ".zip") {
		return ""
	}
	digest, _ := archive.FileDigest(f.source.Package) // Invoke reports an error
	raw, _ := hex.DecodeString(digest)
	return base64.StdEncoding.EncodeToString(raw)
}

// maxEnding is how many environments may be ending while an update goes on.
const maxEnding = 32
