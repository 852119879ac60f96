package dockerfile

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// instruction reads one line of a Dockerfile, continuation lines joined.
func (r *reader) instruction(node *parser.Node) error {
	name := strings.ToUpper(node.Value)
	if len(node.Heredocs) > 0 {
		return r.errorf("%s with a here-document needs Docker: put the text in a file and COPY that", name)
	}
	if len(node.Flags) > 0 && name != "FROM" && name != "COPY" && name != "ADD" && name != "HEALTHCHECK" {
		return r.errorf("%s %s needs Docker", name, node.Flags[0])
	}
	if r.image.From == "" && name != "FROM" && name != "ARG" {
		return r.errorf("%s before FROM: start with FROM", name)
	}
	words := values(node)
	if len(words) == 0 && !node.Attributes["json"] && name != "HEALTHCHECK" && name != "ONBUILD" {
		return r.errorf("%s names nothing", name)
	}
	if name != "FROM" && name != "ARG" && name != "LABEL" && name != "MAINTAINER" {
		r.did = true
	}
	switch name {
	case "FROM":
		return r.from(words, node.Flags)
	case "ARG":
		return r.argument(words)
	case "COPY", "ADD":
		return r.copy(name, words, node.Flags)
	case "ENV":
		return r.pairs(name, words, &r.image.Env)
	case "LABEL":
		return r.pairs(name, words, &r.image.Labels)
	case "WORKDIR":
		return r.workDir(words)
	case "ENTRYPOINT":
		return r.execForm(name, node, words, &r.image.Entrypoint)
	case "CMD":
		return r.execForm(name, node, words, &r.image.Cmd)
	case "USER":
		user, err := r.expand(strings.Join(words, " "))
		r.image.User = user
		return err
	case "EXPOSE":
		ports, err := r.expandAll(words)
		r.image.Expose = append(r.image.Expose, ports...)
		return err
	case "VOLUME":
		volumes, err := r.expandAll(words)
		r.image.Volumes = append(r.image.Volumes, volumes...)
		return err
	case "STOPSIGNAL":
		signal, err := r.expand(words[0])
		r.image.StopSignal = signal
		return err
	case "MAINTAINER":
		r.image.Author = strings.Join(words, " ")
		return nil
	case "SHELL":
		if !node.Attributes["json"] {
			return r.errorf("SHELL takes a JSON array, SHELL [\"program\", \"argument\"]")
		}
		r.shell = words
		return nil
	case "HEALTHCHECK", "ONBUILD":
		return nil // Lambda asks for no health, and nothing is built on this image here
	case "RUN":
		return r.errorf("RUN needs Docker: nothing is run here; do it before the build and COPY what comes of it")
	}
	return r.errorf("%s needs Docker: it is not read here", name)
}

// values are an instruction's words. buildkit chains them.
func values(node *parser.Node) []string {
	var words []string
	for n := node.Next; n != nil; n = n.Next {
		words = append(words, n.Value)
	}
	return words
}

func (r *reader) from(words, flags []string) (err error) {
	if len(words) == 0 {
		return r.errorf("FROM names nothing")
	}
	if r.image.From != "" {
		if r.did {
			return r.errorf("a second FROM needs Docker: what is copied here must come from the build context or from an image as it is")
		}
		if r.stage != "" {
			r.stages[strings.ToLower(r.stage)] = r.image.From
		}
		r.stages[strconv.Itoa(r.index)] = r.image.From
		r.index++
	}
	r.image, r.args, r.base, r.shell, r.stage = Image{}, nil, nil, []string{"/bin/sh", "-c"}, ""
	vars := slices.Concat(r.global, r.platformArgs())
	from, err := r.expandBy(words[0], vars, false)
	if err != nil {
		return err
	}
	if from == "" || strings.ContainsAny(from, " \t") {
		return r.errorf("FROM %s names no image: set the argument, or give it a default (ARG NAME=VALUE)", words[0])
	}
	if len(words) == 3 && strings.EqualFold(words[1], "AS") {
		r.stage = words[2]
	} else if len(words) != 1 {
		return r.errorf("FROM takes one image: %s", strings.Join(words, " "))
	}
	if image, ok := r.stages[strings.ToLower(from)]; ok {
		from = image
	}
	for _, flag := range flags {
		value, ok := strings.CutPrefix(flag, "--platform=")
		if !ok {
			return r.errorf("FROM %s needs Docker", flag)
		}
		if r.image.Platform, err = r.expandBy(value, vars, false); err != nil {
			return err
		}
	}
	r.image.From = from
	if from == Scratch {
		r.base = &Config{}
		return nil
	}
	base := r.options.Base
	if base == nil {
		base = knownBase
	}
	r.base, err = base(from, r.image.Platform)
	if err == nil && r.base != nil && r.base.Shell != nil {
		r.shell = r.base.Shell
	}
	return err
}

func (r *reader) copy(name string, words, flags []string) error {
	words, err := r.expandAll(words)
	if err != nil {
		return err
	}
	if len(words) < 2 {
		return r.errorf("%s needs a source and a destination", name)
	}
	last := len(words) - 1
	c := Copy{Line: r.line, Add: name == "ADD"}
	for _, flag := range flags {
		if err := r.copyOption(name, flag, &c); err != nil {
			return err
		}
	}
	for _, source := range words[:last] {
		if source == "" {
			return r.errorf("%s has an empty source", name)
		}
		if c.Add && (strings.Contains(source, "://") || strings.HasPrefix(source, "git@")) {
			return r.errorf("ADD %s needs Docker: nothing is fetched here", source)
		}
		// As in Docker, no number of ".." leads out of the context.
		c.Sources = append(c.Sources, below(source))
	}
	if words[last] == "" {
		return r.errorf("%s has an empty destination", name)
	}
	if c.Dest, err = r.absolute(words[last]); err != nil {
		return err
	}
	if len(c.Sources) > 1 && !strings.HasSuffix(c.Dest, "/") {
		return r.errorf("%s of several sources needs a destination that ends in a slash: %s/", name, c.Dest)
	}
	r.image.Copies = append(r.image.Copies, c)
	return nil
}

func (r *reader) copyOption(name, flag string, c *Copy) error {
	option, text, _ := strings.Cut(flag, "=")
	value, err := r.expand(text)
	if err != nil {
		return err
	}
	switch option {
	case "--from":
		if name == "ADD" || value == "" {
			break
		}
		c.From = value
		if image, ok := r.stages[strings.ToLower(value)]; ok {
			c.From = image
		}
		if _, err := strconv.Atoi(c.From); err == nil || c.From == Scratch {
			break
		}
		return nil
	case "--chmod":
		mode, err := strconv.ParseInt(value, 8, 64)
		if err != nil || mode < 0 || mode > 0o7777 {
			return r.errorf("%s %s: only octal modes are read here, as in --chmod=755", name, flag)
		}
		c.Mode = &mode
		return nil
	case "--chown":
		user, group, both := strings.Cut(value, ":")
		if !both {
			group = user
		}
		var known [2]bool
		c.UID, known[0] = id(user)
		c.GID, known[1] = id(group)
		if known != [2]bool{true, true} {
			return r.errorf("%s %s needs Docker: who that is stands in the image; write numbers, as in --chown=993:990", name, flag)
		}
		return nil
	case "--link":
		c.Linked = value == "" || value == "true"
		return nil
	}
	return r.errorf("%s %s needs Docker", name, flag)
}

// id is a user's or a group's number. Lambda runs functions as a user of its own, whoever owns what.
func id(name string) (int, bool) {
	if name == "root" {
		return 0, true
	}
	n, err := strconv.ParseUint(name, 10, 31)
	return int(n), err == nil
}

// below cleans a source path as one under the context.
func below(source string) string {
	if clean := strings.TrimPrefix(path.Clean("/"+source), "/"); clean != "" {
		return clean
	}
	return "."
}

// pairs reads ENV and LABEL, whose words come as name, value, separator. All values of one instruction see the variables as
// they were before it.
func (r *reader) pairs(name string, words []string, into *[]KV) error {
	if len(words)%3 != 0 {
		return r.errorf("%s takes NAME=VALUE", name)
	}
	var assigned []KV
	for triple := range slices.Chunk(words, 3) {
		key, err := r.expand(triple[0])
		if err != nil {
			return err
		}
		if key == "" || strings.Contains(key, "=") {
			return r.errorf("%s takes NAME=VALUE: the name is %q", name, key)
		}
		value, err := r.expand(triple[1])
		if err != nil {
			return err
		}
		assigned = append(assigned, KV{key, value})
	}
	for _, kv := range assigned {
		*into = setEnv(*into, kv.Key, kv.Value)
	}
	return nil
}

func (r *reader) workDir(words []string) error {
	dir, err := r.expand(strings.Join(words, " "))
	if err != nil {
		return err
	}
	if dir == "" {
		return r.errorf("WORKDIR names nothing")
	}
	if dir, err = r.absolute(dir); err != nil {
		return err
	}
	r.image.WorkDir = path.Clean(dir)
	r.image.Folders = append(r.image.Folders, Folder{r.image.WorkDir, r.line})
	return nil
}

// execForm reads a JSON array; anything else is the shell form, which runs the image's shell.
func (r *reader) execForm(_ string, node *parser.Node, words []string, into *[]string) error {
	*into = append([]string{}, words...) // an empty array is a value: it takes the base's away
	if !node.Attributes["json"] {
		*into = append(slices.Clone(r.shell), strings.Join(words, " "))
	}
	return nil
}
