package lab

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/managed"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// code is a deployment package, with its layers.
type code struct {
	lab     *Lab
	source  assembly.Function
	load    sync.Mutex        // held while ready sets the fields below
	pkg     *coldfs.Package   // nil until ready has succeeded
	image   *deployment.Image // nil for a ZIP
	atRoot  bool              // the package's paths start at /
	start   string            // the program that a ZIP starts
	runtime *managed.Runtime  // nil without a managed runtime
	counted *counts.Counts    // nil if nothing was counted
}

// ready prepares the package for mounting, at first use. After a failure the next use tries again.
func (c *code) ready() error {
	c.load.Lock()
	defer c.load.Unlock()
	if c.pkg != nil {
		return nil
	}
	if err := c.loadPackage(); err != nil {
		return err
	}
	if count := c.lab.options.Count; count != nil {
		c.counted = count(c.source)
	}
	return nil
}

func (c *code) loadPackage() error {
	p, err := deployment.Of(c.source)
	if errors.As(err, new(*deployment.EntrypointError)) { // Lambda accepts such a ZIP, and then each start fails
		p, err = deployment.Code(c.source.Package)
	}
	if err != nil {
		return err
	}
	var needs deployment.Needs
	if c.atRoot, c.start = p.AtRoot, p.Bootstrap; c.source.Managed() {
		if c.runtime == nil { // otherwise trainStep has set it
			c.runtime, err = managed.Find(c.source.Runtime)
		}
		if err == nil {
			c.start, err = managed.Bootstrap, c.runtime.Warm()
		}
		if err != nil {
			return err
		}
	}
	if c.image = p.Image; c.image != nil {
		needs.Folders = []string{sandbox.TaskRoot}
		if c.image.Scratch {
			needs.Folders = MountPoints()
		}
	}
	c.pkg, err = p.Add(c.lab.store, needs)
	return err
}

var managedBases = regexp.MustCompile(`/lambda/(nodejs|python|java|dotnet|ruby)(:|$)`)

// managedBase says why the lab cannot run an image with the entry point of a managed runtime's base image. It returns
// "" for any other function.
func managedBase(f *assembly.Function) (why string) {
	if f.Dockerfile == "" || f.ImageConfig.EntryPoint != nil {
		return ""
	}
	image, err := dockerfile.Parse(filepath.Join(f.Package, f.Dockerfile), dockerfile.Options{})
	if err != nil || image.Entrypoint != nil || !managedBases.MatchString(image.From) {
		return "" // in case of an error, opening the package says more
	}
	return "its image is FROM " + image.From + ", whose runtime the lab has for ZIPs only: measure it with --source aws"
}

// layout returns the layout of an environment whose processes run as this user.
func (c *code) layout(of api.Configuration, uid int) (l sandbox.Layout) {
	extra := map[string][]byte{}
	if c.image == nil || !c.image.Scratch {
		if l = c.lab.base; uid != sandbox.UID && c.lab.options.BaseRoot == "" { // programs look up their user's name and home
			extra["/etc/passwd"] = []byte(passwd(uid))
		}
	}
	for _, door := range c.lab.options.Allow {
		if door.trust != nil {
			maps.Copy(extra, door.trust.Files)
		}
	}
	l.Image, l.Folder, l.ReadAheadKiB = c.pkg.Image(), c.pkg.Folder(), c.lab.options.ReadAheadKiB
	l.MountOn, l.TmpMB, l.Extra = c.lab.mnt, of.EphemeralStorageMB, extra
	if c.runtime != nil {
		l.Runtime = c.runtime.Dir
	}
	if l.AtRoot = c.atRoot; l.AtRoot {
		for _, file := range c.pkg.Files {
			l.Files = append(l.Files, file.Path)
		}
		l.TaskOnly = c.image == nil || c.image.TaskOnly
	}
	return l
}

func (c *code) command(of api.Configuration, runtimeAPI, logStream string) sandbox.Command {
	of.Environment = c.lab.endpoints(of.Environment)
	var env []string
	command := sandbox.Command{Argv: []string{cmp.Or(c.start, sandbox.TaskRoot+"/bootstrap")}, Dir: sandbox.TaskRoot}
	switch {
	case c.image != nil:
		env = c.image.Env
		command.Argv = c.image.Command(of.Image.EntryPoint, of.Image.Command)
		command.Dir = cmp.Or(of.Image.WorkingDirectory, c.image.Dir())
	case c.runtime != nil:
		env = c.runtime.Env
	}
	if len(command.Argv) == 0 { // an image with neither ENTRYPOINT nor CMD: the start fails, as on Lambda
		command.Argv = []string{""}
	}
	command.Env = Variables(of, env, runtimeAPI, logStream)
	return command
}

// about returns the Code object of GetFunction's answer.
func (c *code) about() map[string]any {
	if c.source.PackageType == assembly.Zip {
		return map[string]any{"Location": "file://" + c.source.Package}
	}
	return map[string]any{"ImageUri": c.source.Package, "ResolvedImageUri": c.source.Package}
}

// sha returns the digest of the ZIP file as Lambda reports it, in base64. It is "" for an image or a folder.
func (c *code) sha() string {
	if c.source.PackageType != assembly.Zip || !strings.HasSuffix(c.source.Package, ".zip") {
		return ""
	}
	digest, _ := archive.FileDigest(c.source.Package) // if it fails, Invoke reports the error
	raw, _ := hex.DecodeString(digest)
	return base64.StdEncoding.EncodeToString(raw)
}
