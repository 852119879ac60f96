package dockerfile

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// instruction reads one instruction of a Dockerfile. Its continuation lines are already joined.
func (r *reader) instruction(node *parser.Node) error {
	name := strings.ToUpper(node.Value)
	if len(node.Flags) > 0 && name != "FROM" && name != "COPY" && name != "ADD" && name != "HEALTHCHECK" && name != "RUN" {
		return r.errorf("%s %s needs Docker", name, node.Flags[0])
	}
	words := values(node)
	if len(words) == 0 && !node.Attributes["json"] && name != "HEALTHCHECK" && name != "ONBUILD" {
		return r.errorf("%s names nothing", name)
	}
	switch name {
	case "FROM":
		return r.from(words, node.Flags)
	case "ARG":
		return r.argument(words)
	case "COPY", "ADD":
		return r.copy(name, words, node)
	case "ENV":
		return r.pairs(name, words, &r.image.Env)
	case "LABEL":
		return r.pairs(name, words, &r.image.Labels)
	case "WORKDIR":
		return r.workDir(words)
	case "ENTRYPOINT":
		r.image.Entrypoint = r.execForm(node, words)
		if !r.hasCmd {
			r.image.Cmd = nil // it removes the arguments of the stage's base
		}
		return nil
	case "CMD":
		r.image.Cmd, r.hasCmd = r.execForm(node, words), true
		return nil
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
		return nil // Lambda makes no health checks, and no image is built on this one here
	}
	return r.errorf("RUN needs Docker: nothing is run here; run it before the build and COPY the result")
}

// values returns the words of an instruction. buildkit keeps them as a linked list.
func values(node *parser.Node) []string {
	var words []string
	for n := node.Next; n != nil; n = n.Next {
		words = append(words, n.Value)
	}
	return words
}

func (r *reader) copy(name string, words []string, node *parser.Node) error {
	if len(words) < 2 {
		return r.errorf("%s needs a source and a destination", name)
	}
	last := len(words) - 1
	c := Copy{Line: r.line, Add: name == "ADD"}
	for _, flag := range node.Flags {
		if err := r.copyOption(name, flag, &c); err != nil {
			return err
		}
	}
	for _, word := range words[:last] {
		if i := slices.IndexFunc(node.Heredocs, func(h parser.Heredoc) bool { return isHereDocument(word, h) }); i >= 0 {
			text, err := r.hereDocument(node.Heredocs[i])
			if err != nil {
				return err
			}
			c.Texts = append(c.Texts, text)
			continue
		}
		source, err := r.expand(word)
		if err != nil {
			return err
		}
		if source == "" {
			return r.errorf("%s has an empty source", name)
		}
		if c.Add && (strings.Contains(source, "://") || strings.HasPrefix(source, "git@")) {
			return r.errorf("ADD %s needs Docker: nothing is fetched here", source)
		}
		// As in Docker, ".." cannot lead out of the context.
		c.Sources = append(c.Sources, below(source))
	}
	to, err := r.expand(words[last])
	if err != nil {
		return err
	}
	if to == "" {
		return r.errorf("%s has an empty destination", name)
	}
	if c.Dest, err = r.absolute(to); err != nil {
		return err
	}
	if last > 1 && !strings.HasSuffix(c.Dest, "/") {
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
		at := r.earlier(value, r.index)
		if _, err := strconv.Atoi(value); at < 0 && (err == nil || value == Scratch) {
			break
		}
		if c.From = value; at < 0 {
			return nil
		}
		stage, err := r.read(at)
		if err != nil {
			return err
		}
		if c.Stage = &stage.image; c.Stage.plain() {
			c.From, c.Stage = c.Stage.From, nil
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
			return r.errorf("%s %s needs Docker, which looks the name up in the image: write numbers, as in --chown=993:990", name, flag)
		}
		return nil
	case "--link":
		c.Linked = value == "" || value == "true"
		return nil
	}
	return r.errorf("%s %s needs Docker", name, flag)
}

// id returns the number of a user or group. Lambda runs functions as its own user, whoever owns the files.
func id(name string) (int, bool) {
	if name == "root" {
		return 0, true
	}
	n, err := strconv.ParseUint(name, 10, 31)
	return int(n), err == nil
}

// below returns a clean source path below the context.
func below(source string) string {
	if clean := strings.TrimPrefix(path.Clean("/"+source), "/"); clean != "" {
		return clean
	}
	return "."
}

// pairs reads ENV and LABEL. Their words are name, value and separator in turn. All values of one instruction see
// the variables as they were before it.
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

// execForm reads a JSON array. Anything else is the shell form, which runs the image's shell. An empty array is a
// value: it removes the base's value.
func (r *reader) execForm(node *parser.Node, words []string) []string {
	if node.Attributes["json"] {
		return append([]string{}, words...)
	}
	return append(slices.Clone(r.shell), strings.Join(words, " "))
}
