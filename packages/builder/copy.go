package builder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// changes are the paths that one instruction adds to an image, without a leading slash.
type changes map[string]*node

// bytes returns the size of all files.
func (c changes) bytes() int64 {
	var sum int64
	for _, n := range c {
		sum += n.size
	}
	return sum
}

// copyInto applies a COPY to the names of an image and returns the content of its layer. It follows BuildKit's
// copier (github.com/tonistiigi/fsutil/copy): it follows links in the destination inside the image, merges a folder
// into a folder, lets a file replace a file or a link, and never lets a folder replace anything else.
func copyInto(image, from *tree, c dockerfile.Copy) (changes, error) {
	out := changes{}
	if len(c.Sources) > 0 {
		sources, err := find(from, c.Sources)
		if err != nil {
			return nil, err
		}
		for _, source := range sources {
			resolved, err := from.resolve(source)
			if err != nil {
				return nil, fmt.Errorf("COPY %s: %w", source, err)
			}
			n := from.get(resolved)
			if n == nil {
				return nil, fmt.Errorf("COPY %s: not in %s", source, origin(c))
			}
			if err := copyOne(image, source, n, c, out); err != nil {
				return nil, err
			}
		}
	}
	for _, t := range c.Texts {
		n := &node{kind: file, text: []byte(t.Content), size: int64(len(t.Content))}
		if err := copyOne(image, t.Name, n, c, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// origin says, for messages, where COPY copies from.
func origin(c dockerfile.Copy) string {
	if c.From != "" {
		return "what --from names"
	}
	return "the build context, or left out by .dockerignore"
}

// find returns the paths of the context that COPY names. A pattern may match nothing if another source matches
// something.
func find(from *tree, patterns []string) ([]string, error) {
	var found []string
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, `*?[\`) {
			found = append(found, pattern)
			continue
		}
		err := from.root.walk(func(p string, _ *node) error {
			matches, err := path.Match(pattern, p)
			if matches {
				found = append(found, p)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("COPY %s: %w", pattern, err)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("COPY %s: no file of the build context matches (.dockerignore counts)", strings.Join(patterns, " "))
	}
	return found, nil
}

// copyOne copies one source or here-document.
func copyOne(image *tree, source string, n *node, c dockerfile.Copy, out changes) (err error) {
	destination := c.Dest
	at := strings.Join(split(destination), "/")
	if !c.Linked { // a layer of --link does not know what is below it
		if at, err = image.resolve(destination); err != nil {
			return fmt.Errorf("COPY to %s: %w", destination, err)
		}
	}
	into := strings.HasSuffix(destination, "/")
	if there := image.get(at); there != nil && there.kind == folder {
		into = true
	}
	if n.kind != folder {
		if into {
			// The file keeps the name in the instruction, not the name of a link's target.
			at = path.Join(at, path.Base(source))
		}
		return place(image, at, n, c, out)
	}
	if err := makeFolders(image, at, out); err != nil {
		return err
	}
	return n.walk(func(p string, child *node) error { return place(image, path.Join(at, p), child, c, out) })
}

// place puts one node at a path. Links in the path must be resolved.
func place(image *tree, at string, n *node, c dockerfile.Copy, out changes) error {
	if n.kind == file && n.source == "" && n.text == nil {
		return fmt.Errorf("COPY of /%s: it is a device or another special file, which cannot be copied here", at)
	}
	if c.Add && n.source != "" {
		if err := noArchive(n); err != nil {
			return err
		}
	}
	if err := makeFolders(image, path.Dir(at), out); err != nil {
		return err
	}
	there := image.get(at)
	switch {
	case there == nil:
	case n.kind == folder && there.kind != folder:
		return fmt.Errorf("COPY puts a folder at /%s, where the image has a %s: copy into what is there, by its real path",
			at, there.kind)
	case n.kind != folder && there.kind == folder:
		return fmt.Errorf("COPY puts a file at /%s, where the image has a folder", at)
	}
	put := *n
	put.uid, put.gid = c.UID, c.GID
	if c.Mode != nil {
		put.mode = c.Mode
	}
	if out[at] = &put; n.kind == folder {
		put.children = map[string]*node{}
	}
	image.put(at, &put)
	return nil
}

// noArchive returns an error for a file that ADD would unpack: a tar, compressed or not.
func noArchive(n *node) error {
	f, err := os.Open(n.source)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 512)
	k, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	compressed := func(magic string) bool { return strings.HasPrefix(string(head[:k]), magic) }
	if slices.ContainsFunc([]string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"}, compressed) || k > 262 && string(head[257:262]) == "ustar" {
		return fmt.Errorf("ADD of %s needs Docker: it would be unpacked; use COPY to keep it as it is", n.source)
	}
	return nil
}

// makeFolders adds the missing folders of a path. Links in the path must be resolved. Folders that the image has
// are left out of the layer, which keeps their modes as they are.
func makeFolders(image *tree, p string, out changes) error {
	at := ""
	for _, name := range split(p) {
		at = path.Join(at, name)
		there := image.get(at)
		switch {
		case there == nil:
			made := newFolder()
			image.put(at, made)
			out[at] = made
		case there.kind != folder:
			return fmt.Errorf("/%s is a %s in the image: no folder can be made there", at, there.kind)
		}
	}
	return nil
}

// makeFolder returns the changes of a WORKDIR, which makes a folder.
func makeFolder(image *tree, p string) (changes, error) {
	out := changes{}
	at, err := image.resolve(p)
	if err != nil {
		return nil, err
	}
	return out, makeFolders(image, at, out)
}

func (k kind) String() string { return [...]string{"file", "folder", "symbolic link"}[k] }
