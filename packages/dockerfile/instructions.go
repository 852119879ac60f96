package dockerfile

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// instruction reads one line of a Dockerfile, continuation lines joined.
func (r *reader) instruction(node *parser.Node) error {
	name := strings.ToUpper(node.Value)
	if len(node.Heredocs) > 0 {
		return r.errorf("%s with a here-document needs Docker: put the text in a file and COPY that", name)
	}
	if len(node.Flags) > 0 {
		return r.errorf("%s %s needs Docker: only instructions without options are read here", name, node.Flags[0])
	}
	if r.image.From == "" && name != "FROM" {
		return r.errorf("%s before FROM needs Docker: start with FROM", name)
	}
	words := values(node)
	if len(words) == 0 && !node.Attributes["json"] {
		return r.errorf("%s names nothing", name)
	}
	switch name {
	case "FROM":
		return r.from(words)
	case "COPY":
		return r.copy(words)
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
	}
	return r.errorf("%s needs Docker: only FROM COPY ENV WORKDIR ENTRYPOINT CMD LABEL USER EXPOSE are read here", name)
}

// values are an instruction's words. buildkit chains them.
func values(node *parser.Node) []string {
	var words []string
	for n := node.Next; n != nil; n = n.Next {
		words = append(words, n.Value)
	}
	return words
}

func (r *reader) from(words []string) error {
	if len(words) == 0 {
		return r.errorf("FROM names nothing")
	}
	if r.image.From != "" {
		return r.errorf("a second FROM needs Docker: only one stage is read here")
	}
	if strings.Contains(words[0], "$") {
		return r.errorf("FROM %s needs Docker: name the image", words[0])
	}
	if len(words) != 1 && (len(words) != 3 || !strings.EqualFold(words[1], "AS")) {
		return r.errorf("FROM takes one image: %s", strings.Join(words, " "))
	}
	r.image.From = words[0]
	return nil
}

func (r *reader) copy(words []string) error {
	words, err := r.expandAll(words)
	if err != nil {
		return err
	}
	if len(words) < 2 {
		return r.errorf("COPY needs a source and a destination")
	}
	last := len(words) - 1
	c := Copy{Line: r.line}
	for _, source := range words[:last] {
		if source == "" {
			return r.errorf("COPY has an empty source")
		}
		// As in Docker, no number of ".." leads out of the context.
		c.Sources = append(c.Sources, below(source))
	}
	if words[last] == "" {
		return r.errorf("COPY has an empty destination")
	}
	if c.Dest, err = r.absolute(words[last]); err != nil {
		return err
	}
	if len(c.Sources) > 1 && !strings.HasSuffix(c.Dest, "/") {
		return r.errorf("COPY of several sources needs a destination that ends in a slash: %s/", c.Dest)
	}
	r.image.Copies = append(r.image.Copies, c)
	return nil
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

// execForm reads a JSON array. The shell form would run /bin/sh, which an image without one does not have.
func (r *reader) execForm(name string, node *parser.Node, words []string, into *[]string) error {
	if !node.Attributes["json"] {
		return r.errorf("%s in shell form needs Docker: write it as a JSON array, %s [\"program\", \"argument\"]", name, name)
	}
	*into = append([]string{}, words...) // an empty array is a value: it takes the base's away
	return nil
}
