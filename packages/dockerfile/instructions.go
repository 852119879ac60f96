package dockerfile

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// instruction reads one instruction into the image.
func (r *reader) instruction(read instructions.Command) (err error) {
	words, ok := read.(instructions.SupportsSingleWordExpansion)
	if _, argument := read.(*instructions.ArgCommand); ok && !argument {
		if err := words.Expand(r.expand); err != nil {
			return err
		}
	}
	i := &r.image
	switch c := read.(type) {
	case *instructions.RunCommand:
		return r.errorf("RUN needs Docker: nothing is run here; run it before the build and COPY the result")
	case *instructions.ArgCommand:
		return r.argument(c.Args)
	case *instructions.CopyCommand:
		copied := Copy{Line: r.line, Text: c.String(), Linked: c.Link}
		if err := r.copyFrom(c.From, &copied); err != nil {
			return err
		}
		return r.copy("COPY", c.SourcesAndDest, c.Chmod, c.Chown, copied)
	case *instructions.AddCommand:
		if c.KeepGitDir != nil || c.Unpack != nil || c.Checksum != "" {
			return r.errorf("ADD needs Docker with --checksum, --unpack or --keep-git-dir")
		}
		added := Copy{Line: r.line, Text: c.String(), Linked: c.Link, Add: true}
		return r.copy("ADD", c.SourcesAndDest, c.Chmod, c.Chown, added)
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			i.Env = setEnv(i.Env, kv.Key, kv.Value)
		}
	case *instructions.LabelCommand:
		if i.Labels == nil {
			i.Labels = map[string]string{}
		}
		for _, kv := range c.Labels {
			i.Labels[kv.Key] = kv.Value
		}
	case *instructions.WorkdirCommand:
		return r.workDir(c.Path)
	case *instructions.EntrypointCommand:
		i.Entrypoint = r.execForm(c.ShellDependantCmdLine)
		if !r.hasCmd {
			i.Cmd = nil // it removes the arguments of the stage's base
		}
	case *instructions.CmdCommand:
		i.Cmd, r.hasCmd = r.execForm(c.ShellDependantCmdLine), true
	case *instructions.UserCommand:
		i.User = c.User
	case *instructions.ShellCommand:
		r.shell = c.Shell
	}
	return nil // Lambda ignores all other instructions
}

func (r *reader) copy(name string, of instructions.SourcesAndDest, chmod, chown string, c Copy) (err error) {
	if err := r.owned(name, chmod, chown, &c); err != nil {
		return err
	}
	if c.Texts, err = r.hereDocuments(of); err != nil {
		return err
	}
	for _, source := range of.SourcePaths {
		if source == "" {
			return r.errorf("%s has an empty source", name)
		}
		if c.Add && (strings.Contains(source, "://") || strings.HasPrefix(source, "git@")) {
			return r.errorf("ADD %s needs Docker: nothing is fetched here", source)
		}
		// As in Docker, ".." cannot lead out of the context.
		c.Sources = append(c.Sources, below(source))
	}
	if of.DestPath == "" {
		return r.errorf("%s has an empty destination", name)
	}
	if c.Dest, err = r.absolute(of.DestPath); err != nil {
		return err
	}
	if len(c.Sources)+len(c.Texts) > 1 && !strings.HasSuffix(c.Dest, "/") {
		return r.errorf("%s of several sources needs a destination that ends in a slash: %s/", name, c.Dest)
	}
	r.image.Copies = append(r.image.Copies, c)
	return nil
}

// copyFrom finds the stage or image that COPY --from names.
func (r *reader) copyFrom(from string, c *Copy) error {
	name, err := r.expand(from)
	if err != nil || from == "" {
		return err
	}
	at := r.earlier(name, r.index)
	if _, err := strconv.Atoi(name); name == "" || at < 0 && (err == nil || name == Scratch) {
		return r.errorf("COPY --from=%s needs Docker", from)
	}
	if c.From = name; at < 0 {
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
}

// owned reads --chmod and --chown.
func (r *reader) owned(name, chmod, chown string, c *Copy) error {
	if chmod != "" {
		mode, err := strconv.ParseInt(chmod, 8, 64)
		if err != nil || mode < 0 || mode > 0o7777 {
			return r.errorf("%s --chmod=%s: only octal modes are read here, as in --chmod=755", name, chmod)
		}
		c.Mode = &mode
	}
	if chown == "" {
		return nil
	}
	user, group, both := strings.Cut(chown, ":")
	if !both {
		group = user
	}
	var known [2]bool
	c.UID, known[0] = id(user)
	c.GID, known[1] = id(group)
	if known != [2]bool{true, true} {
		return r.errorf("%s --chown=%s needs Docker to look the name up: write numbers, as in --chown=993:990", name, chown)
	}
	return nil
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

// hereDocuments returns the here-documents. It replaces variables unless the name is quoted, and keeps quotes in the
// text.
func (r *reader) hereDocuments(of instructions.SourcesAndDest) (texts []Text, err error) {
	raw := *r
	raw.file = &file{name: r.name, lex: shell.NewLex('\\')}
	raw.lex.SkipProcessQuotes = true
	if err := of.ExpandRaw(raw.expand); err != nil {
		return nil, err
	}
	for _, content := range of.SourceContents {
		name := path.Base(content.Path)
		if name == "/" || name == "." || name == ".." {
			return nil, r.errorf("the here-document %q does not have the name of a file", content.Path)
		}
		texts = append(texts, Text{name, content.Data})
	}
	return texts, nil
}

func (r *reader) workDir(dir string) (err error) {
	if dir == "" {
		return r.errorf("WORKDIR is empty: write a path")
	}
	if dir, err = r.absolute(dir); err != nil {
		return err
	}
	dir = path.Clean(dir)
	r.image.WorkingDir = dir
	r.image.Copies = append(r.image.Copies, Copy{Dest: dir, Line: r.line, Text: "WORKDIR " + dir})
	return nil
}

// execForm returns the words of a JSON array. Anything else is the shell form: it returns the image's shell with the
// line as its argument. An empty array is not nil, because it removes the base's value.
func (r *reader) execForm(line instructions.ShellDependantCmdLine) []string {
	if line.PrependShell {
		return append(slices.Clone(r.shell), line.CmdLine...)
	}
	return append([]string{}, line.CmdLine...)
}
