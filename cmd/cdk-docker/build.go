package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/twinstart/twinstart/packages/builder"
)

// build is the command build --tag NAME [--platform P] [--file F] CONTEXT. It refuses options that are not supported
// and would change the image. It ignores options that change nothing, for example about caches and the network of RUN.
type build struct {
	Tags     []string `name:"tag" short:"t" sep:"none"`
	File     string   `short:"f"`
	Platform string
	BuildArg map[string]string `mapsep:"none"`
	Ignored  []string          `name:"cache-from" aliases:"cache-to,network,progress,provenance,sbom" sep:"none"`
	Switches bool              `name:"no-cache" aliases:"pull,load,rm,force-rm,quiet,debug" short:"q"`
	Context  string            `arg:""`
}

func (o *build) Run(c *call) error {
	if _, err := builder.ParsePlatform(o.Platform); err != nil {
		return usagef("build: %v", err)
	}
	o.File = cmp.Or(o.File, filepath.Join(o.Context, "Dockerfile"))
	if _, err := os.Stat(o.File); err != nil {
		return usagef("build: %v: name a folder with a Dockerfile, or a file by --file", err)
	}
	c.display.about(strings.Join(o.Tags, " "))
	result, err := c.builder.Build(c.ctx, builder.Options{Context: o.Context, Dockerfile: o.File,
		Platform: o.Platform, Args: o.BuildArg, Tags: o.Tags})
	if err != nil {
		return err
	}
	c.display.line(fmt.Sprintf("built for %s on %s: layers: %d, %s, %s", result.Platform, cmp.Or(result.Base, "scratch"),
		len(result.Layers), bytesText(result.Size()), result.Digest), 0)
	return nil
}

// display writes a line for each big layer and for each note. Each line names its image, because the CDK CLI mixes the
// lines of several calls.
type display struct {
	mu sync.Mutex
	w  io.Writer
	of string // the image that lines are about
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}$`)

// about sets the image that lines are about. The CDK CLI's names of images, in the store and in ECR, end with the hash
// of the asset. The first digits of the hash are enough.
func (d *display) about(image string) {
	if hash := assetHash.FindString(image); hash != "" {
		image = hash[:12]
	}
	d.of = image + ": "
}

// worthALine is the size, in bytes, from which moving a layer takes long enough for a line.
const worthALine = 1e6

// line writes a note or, if bytes is not 0, says that the transfer of a layer of this size begins. It leaves small
// layers out; the call's last line reports the result.
func (d *display) line(line string, bytes int64) {
	if bytes > 0 && bytes < worthALine {
		return
	}
	if bytes > 0 {
		line += ", " + bytesText(bytes)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.w, "cdk-docker: "+d.of+line)
}
