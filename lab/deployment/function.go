package deployment

import (
	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
)

// Of returns the package of a function in an assembly.
func Of(f assembly.Function) (p *Package, err error) {
	switch {
	case f.PackageType == assembly.Image && f.Dockerfile != "":
		p = &Package{Path: f.Package}
		err = p.context(f.Dockerfile)
	case f.Managed():
		p, err = Code(f.Package)
	default:
		p, err = Open(f.Package)
	}
	if len(f.Layers) > 0 && f.PackageType == assembly.Zip {
		p, err = layered(f, p, err)
	}
	if err != nil {
		return nil, err
	}
	p.Name, p.Bytes = f.Identity.Arm, f.PackageSizeBytes
	if f.Architecture != "" {
		p.Architecture = f.Architecture
	}
	return p, nil
}

// Function returns a function with this package, the given identity and Lambda's defaults.
func (p *Package) Function(id arm.Identity) assembly.Function {
	f := assembly.Function{LogicalID: id.Arm, Identity: id, PackageType: assembly.Zip, Runtime: "provided.al2023",
		Handler: id.Handler, TimeoutSeconds: 60, MemorySizeMB: id.MemorySizeMB, EphemeralStorageMB: arm.MinTmpMB,
		Environment: map[string]string{}, Architecture: id.Architecture, LogFormat: assembly.Text,
		Package: p.Path, PackageSizeBytes: p.Bytes}
	if p.Image != nil {
		f.PackageType, f.Runtime = assembly.Image, ""
		if p.Kind == Context {
			f.Dockerfile = "Dockerfile"
		}
		if id.Handler != "" {
			f.ImageConfig.Command = []string{id.Handler}
		}
	}
	return f
}
