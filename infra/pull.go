package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// pull returns what a level overrides in the baseline's function. It returns nil if the baseline has that level, or if
// the level is another function, which pull defines.
func (l *leverBench) pull(lever, level string) (set *arm.Override, err error) {
	set = &arm.Override{}
	switch lever + "=" + level {
	case "logs=text":
		set.LogFormat = "Text"
	case "size=" + level:
		return nil, l.sized(lever, level)
	case "provisioned=" + level:
		set.Provisioned, err = strconv.Atoi(level)
	case "tracked=10-100":
		return nil, l.tracked(l.identity.Pulled(lever, level))
	case arm.Code + "=" + level:
		return l.habit(level)
	case "tracing=sampled":
		set.Tracing, set.Sampled = "Active", "1"
	case "tracing=unsampled":
		set.Tracing, set.Sampled = "Active", "0"
	case "architecture=" + string(l.Architecture), "logs=json": // the baseline
		return nil, nil
	case "architecture=" + level:
		return nil, l.otherCPU(l.identity.Pulled(lever, level), arm.Architecture(level))
	case "vpc=isolated":
		options := l.options
		l.network(&options)
		_, err = l.function("Vpc-isolated", l.code, l.identity.Pulled(lever, level), options)
		return nil, err
	case "environment=3kB":
		set.Environment = map[string]string{}
		for i := range 30 {
			set.Environment[fmt.Sprintf("LEVER_%02d", i)] = strings.Repeat("x", 90)
		}
	case "extension=internal":
		if l.Handler != leversHandler || len(l.Packages) > 0 {
			return nil, nil // only this handler has an extension in its process
		}
		set.Environment = map[string]string{"TWINSTART_EXTENSION": "internal"}
	case "extension=external":
		set.Layers, err = l.layer("Extension", externalExtension)
	case "layers=package":
		code, err := kept(func(dir string) error { return errors.Join(archive.Lay(l.code, dir), bulk(dir, 0, bulkFiles)) })
		if err == nil {
			_, err = l.function("Layers-package", code, l.identity.Pulled(lever, level), l.options)
		}
		return nil, err
	case "layers=one":
		set.Layers, err = l.layer("Bulk", func(dir string) error { return bulk(dir, 0, bulkFiles) })
	case "layers=five":
		for i := range bulkFiles {
			one, problem := l.layer(fmt.Sprintf("Bulk%d", i+1), func(dir string) error { return bulk(dir, i, i+1) })
			set.Layers, err = append(set.Layers, one...), errors.Join(err, problem)
		}
	default:
		if set.MemorySizeMB, err = strconv.Atoi(level); set.MemorySizeMB == l.MemorySizes[0] {
			return nil, nil
		}
	}
	return set, err
}

// trackedLeast and trackedMost bound the environments of the lever tracked.
const trackedLeast, trackedMost = 10, 100

// tracked defines a function with provisioned environments that are held at 70 % use.
func (l *leverBench) tracked(identity arm.Identity) error {
	identity.Alias = bashfunction.DefaultAlias
	f, err := l.function("Tracked", l.code, identity, l.options)
	if err == nil {
		bounds := bashfunction.Provisioned{Min: jsii.Number(trackedLeast), Max: jsii.Number(trackedMost)}
		bounds.Of(constructs.NewConstruct(l.stack, jsii.String("TrackedAlias")), f)
	}
	return err
}

// otherCPU defines a function with another architecture.
func (l *leverBench) otherCPU(identity arm.Identity, a arm.Architecture) error {
	options := l.options
	identity.Architecture, options.Architecture = a, cdkArchitecture(a)
	code, err := l.build(a)
	if err == nil {
		_, err = l.function("Architecture-"+string(a), code, identity, options)
	}
	return err
}

// sized defines a function with a padded package. One of the sizes is 5 MB, a threshold that others have published.
func (l *leverBench) sized(lever, level string) error {
	text, how, _ := strings.Cut(level, "-")
	mb, _ := strconv.Atoi(text) // checked
	if how == "code" && !strings.HasPrefix(*l.runtime.Name(), "provided") {
		return nil // the program is Lambda's, not the package's
	}
	code, err := kept(func(dir string) error {
		filler, to := packages.Noise(int64(mb)<<20), filepath.Join(dir, "filler")
		switch how {
		case "zeros":
			clear(filler)
		case "code": // no header of the program refers to the bytes behind it
			to = filepath.Join(dir, "bootstrap")
		}
		if err := archive.Lay(l.code, dir); err != nil {
			return err
		}
		file, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(filler)
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return err
	}
	identity := l.identity.Pulled(lever, level)
	if how == "image" {
		identity.Package = arm.Image
	}
	_, err = l.function("Size-"+level, code, identity, l.options)
	return err
}

// layer defines a layer and returns its logical ID. No function has the layer until a run adds it.
func (l *leverBench) layer(id string, write func(dir string) error) ([]string, error) {
	dir, err := kept(write)
	if err != nil {
		return nil, err
	}
	layer := awslambda.NewLayerVersion(l.stack, &id, &awslambda.LayerVersionProps{
		LayerVersionName: jsii.String(*l.stack.StackName() + "-" + id), Code: awslambda.Code_FromAsset(&dir, nil),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	return []string{*l.stack.GetLogicalId(layer.Node().DefaultChild().(awscdk.CfnElement))}, nil
}

// bulkFiles is the number of files of 1 MB that a package or its layers get. No code reads them.
const bulkFiles = 5

// bulk writes files that cannot be compressed: the same bytes each time.
func bulk(dir string, from, to int) error {
	if err := os.MkdirAll(filepath.Join(dir, "bulk"), 0o755); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		name := filepath.Join(dir, "bulk", strconv.Itoa(i+1))
		if err := os.WriteFile(name, packages.Noise(bulkFiles << 20)[i<<20:(i+1)<<20], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// externalExtension writes the layer of the extension of handlers/levers.
func externalExtension(dir string) error {
	text, err := os.ReadFile(filepath.Join(handlersDir, leversHandler, "extension.sh"))
	if err != nil {
		return err
	}
	to := filepath.Join(dir, "extensions", "extension.sh")
	return errors.Join(os.Mkdir(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o755))
}

// kept writes a folder of the cache. The folder is named by its content.
func kept(write func(dir string) error) (string, error) {
	cache, err := archive.Cache("levers")
	if err != nil {
		return "", err
	}
	return archive.Keep(cache, write)
}
