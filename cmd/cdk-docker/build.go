package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/packages/builder"
)

// build: build --tag NAME [--platform P] [--file F] CONTEXT. What would change the image and is not done here is refused; what
// changes nothing, such as caches and the network of RUN, is taken.
func build(c *call, args []string) error {
	var o struct {
		Tags     []string `name:"tag" short:"t" sep:"none"`
		File     string   `short:"f"`
		Platform string
		BuildArg []string `sep:"none"`
		Output   []string `short:"o" sep:"none"`
		IDFile   string   `name:"iidfile"`
		Ignored  []string `name:"cache-from" aliases:"cache-to,network,progress,provenance,sbom,builder,memory,shm-size,ulimit" sep:"none"`
		Switches bool     `name:"no-cache" aliases:"pull,load,rm,force-rm,quiet,debug" short:"q"`
		Contexts []string `arg:"" optional:"" sep:"none"`
	}
	if err := parse("build", &o, args); err != nil {
		return err
	}
	rest := o.Contexts
	for _, output := range o.Output {
		if output != "type=docker" && output != "type=image" {
			return usagef("build: --output %s needs Docker: images go to the store here, and to a registry by push", output)
		}
	}
	if len(rest) != 1 {
		return usagef("build takes one folder as context, not %d: %s", len(rest), strings.Join(rest, " "))
	}
	if rest[0] == "-" || strings.Contains(rest[0], "://") {
		return usagef("build: %s as context needs Docker: name a folder", rest[0])
	}
	if _, err := builder.ParsePlatform(o.Platform); err != nil {
		return usagef("build: %v", err)
	}
	if o.File == "" {
		o.File = filepath.Join(rest[0], "Dockerfile")
	}
	if _, err := os.Stat(o.File); err != nil {
		return usagef("build: %v", err)
	}
	c.display.about(strings.Join(o.Tags, " "))
	values := map[string]string{}
	for _, argument := range o.BuildArg {
		name, value, given := strings.Cut(argument, "=")
		if !given { // as docker: of the environment
			if value, given = os.LookupEnv(name); !given {
				continue
			}
		}
		values[name] = value
	}
	result, err := c.builder.Build(c.ctx, builder.Options{Context: rest[0], Dockerfile: o.File, Platform: o.Platform, Args: values, Tags: o.Tags})
	if err != nil {
		return err
	}
	if o.IDFile != "" {
		if err := os.WriteFile(o.IDFile, []byte(result.Digest.String()), 0o644); err != nil {
			return fmt.Errorf("writing the image's id: %w", err)
		}
	}
	on := ""
	if result.Base != "" {
		on = " on " + result.Base
	}
	c.display.Note(fmt.Sprintf("built for %s/%s%s: %s, %s, %s",
		result.Platform.OS, result.Platform.Architecture, on, layersText(len(result.Layers)), bytesText(result.Size()), result.Digest))
	return nil
}
