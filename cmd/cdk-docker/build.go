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

// build: build --tag NAME [--platform P] [--file F] CONTEXT. It refuses options that would change the image and are
// not supported. It ignores options that change nothing, such as those about caches and the network of RUN.
type build struct {
	Tags     []string `name:"tag" short:"t" sep:"none"`
	File     string   `short:"f"`
	Platform string
	BuildArg map[string]string `mapsep:"none"`
	Ignored  []string          `name:"cache-from" aliases:"cache-to,network,progress,provenance,sbom,builder,memory,shm-size,ulimit" sep:"none"`
	Switches bool              `name:"no-cache" aliases:"pull,load,rm,force-rm,quiet,debug" short:"q"`
	Contexts []string          `arg:"" optional:"" sep:"none"`
}

func (o *build) Run(c *call) error {
	if len(o.Contexts) != 1 {
		return usagef("build takes one folder as context, not %d: %s", len(o.Contexts), strings.Join(o.Contexts, " "))
	}
	if _, err := builder.ParsePlatform(o.Platform); err != nil {
		return usagef("build: %v", err)
	}
	o.File = cmp.Or(o.File, filepath.Join(o.Contexts[0], "Dockerfile"))
	if _, err := os.Stat(o.File); err != nil {
		return usagef("build: %v", err)
	}
	c.display.about(strings.Join(o.Tags, " "))
	result, err := c.builder.Build(c.ctx, builder.Options{Context: o.Contexts[0], Dockerfile: o.File,
		Platform: o.Platform, Args: o.BuildArg, Tags: o.Tags})
	if err != nil {
		return err
	}
	c.display.Note(fmt.Sprintf("built for %s/%s on %s: layers: %d, %s, %s", result.Platform.OS,
		result.Platform.Architecture, cmp.Or(result.Base, "scratch"), len(result.Layers), bytesText(result.Size()), result.Digest))
	return nil
}

// display writes a line for each big layer and for each note. Each line names its subject, because the CDK CLI, which
// passes lines on, mixes those of several calls.
type display struct {
	mu sync.Mutex
	w  io.Writer
	of string // the image that lines are about
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}$`)

// about sets the image that lines are about. The names of the CDK CLI's images, in the store and in ECR, end with
// the hash of their asset: its first digits are enough.
func (d *display) about(image string) {
	if hash := assetHash.FindString(image); hash != "" {
		image = hash[:12]
	}
	d.of = image + ": "
}

// Note writes one line.
func (d *display) Note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.w, "cdk-docker: "+d.of+line)
}

// worthALine is the size, in bytes, from which moving a layer takes long enough for a line.
const worthALine = 1e6

// Start shows a layer when it begins. The call's last line reports the result of all layers.
func (d *display) Start(what string, bytes int64) {
	if bytes >= worthALine {
		d.Note(fmt.Sprintf("%s, %s", what, bytesText(bytes)))
	}
}
