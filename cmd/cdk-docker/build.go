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
	o := newOptions("build")
	tags := o.list("tag", "t")
	file := o.text("file", "f")
	platform := o.text("platform", "")
	arguments := o.list("build-arg", "")
	outputs := o.list("output", "o")
	idFile := o.text("iidfile", "")
	o.ignored("cache-from", "cache-to", "network", "progress", "provenance", "sbom", "builder", "memory", "shm-size", "ulimit")
	o.ignoredSwitches("no-cache", "pull", "load", "rm", "force-rm", "quiet", "q", "debug")
	refused := map[string]*list{}
	for _, name := range []string{"target", "build-context", "secret", "ssh", "label", "add-host", "allow", "attest"} {
		refused[name] = o.list(name, "")
	}
	rest, err := o.parse(args)
	if err != nil {
		return err
	}
	for name, values := range refused {
		if len(*values) > 0 {
			return usagef("build: --%s needs Docker", name)
		}
	}
	for _, output := range *outputs {
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
	if _, err := builder.ParsePlatform(*platform); err != nil {
		return usagef("build: %v", err)
	}
	if *file == "" {
		*file = filepath.Join(rest[0], "Dockerfile")
	}
	if _, err := os.Stat(*file); err != nil {
		return usagef("build: %v", err)
	}
	c.display.about(strings.Join(*tags, " "))
	values := map[string]string{}
	for _, argument := range *arguments {
		name, value, given := strings.Cut(argument, "=")
		if !given { // as docker: of the environment
			if value, given = os.LookupEnv(name); !given {
				continue
			}
		}
		values[name] = value
	}
	result, err := c.builder.Build(c.ctx, builder.Options{Context: rest[0], Dockerfile: *file, Platform: *platform, Args: values, Tags: *tags})
	if err != nil {
		return err
	}
	if *idFile != "" {
		if err := os.WriteFile(*idFile, []byte(result.Digest.String()), 0o644); err != nil {
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
