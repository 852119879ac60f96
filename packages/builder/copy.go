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

// copyInto applies a COPY or a WORKDIR to an image and returns the content of its layer. It follows BuildKit's copier
// (github.com/tonistiigi/fsutil/copy): it follows links in the destination inside the image, merges a folder into a
// folder, lets a file replace a file or a link, and never lets a folder replace anything else.
func copyInto(image, from tree, c dockerfile.Copy) (tree, error) {
	out := tree{}
	if len(c.Sources)+len(c.Texts) == 0 {
		at, err := image.resolve(c.Dest)
		if err == nil {
			err = makeFolders(image, at, out)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Text, err)
		}
		return out, nil
	}
	sources, err := find(from, c.Sources)
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		resolved, err := from.resolve(source)
		if err != nil {
			return nil, fmt.Errorf("COPY %s: %w", source, err)
		}
		n := from[resolved]
		if n == nil {
			return nil, fmt.Errorf("COPY %s: not in %s", source, origin(c))
		}
		at, err := destination(image, source, n, c)
		if err != nil {
			return nil, err
		}
		if n.kind != folder {
			err = place(image, at, n, c, out)
		} else if err = makeFolders(image, at, out); err == nil {
			for _, p := range from.below(resolved) {
				if err = place(image, path.Join(at, p), from[path.Join(resolved, p)], c, out); err != nil {
					break
				}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	for _, t := range c.Texts {
		n := &node{mode: modeFile, text: []byte(t.Content), size: int64(len(t.Content))}
		at, err := destination(image, t.Name, n, c)
		if err == nil {
			err = place(image, at, n, c, out)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// origin says, for messages, where COPY copies from.
func origin(c dockerfile.Copy) string {
	if c.From != "" {
		return "the image or stage of --from"
	}
	return "the build context, or .dockerignore leaves it out"
}

// find returns the paths that COPY names. A pattern may match nothing if another source matches something.
func find(from tree, patterns []string) (found []string, err error) {
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, `*?[\`) {
			found = append(found, pattern)
			continue
		}
		for _, p := range from.below("") {
			matches, err := path.Match(pattern, p)
			if err != nil {
				return nil, fmt.Errorf("COPY %s: %w", pattern, err)
			}
			if matches {
				found = append(found, p)
			}
		}
	}
	if len(found) == 0 && len(patterns) > 0 {
		return nil, fmt.Errorf("COPY %s: no file of the build context matches (.dockerignore counts)",
			strings.Join(patterns, " "))
	}
	return found, nil
}

// destination returns the path in the image to which a source, or a folder's content, is copied.
func destination(image tree, source string, n *node, c dockerfile.Copy) (at string, err error) {
	if at = clean(c.Dest); !c.Linked { // with --link, a layer does not depend on the layers below
		if at, err = image.resolve(c.Dest); err != nil {
			return "", fmt.Errorf("COPY to %s: %w", c.Dest, err)
		}
	}
	if there := image[at]; n.kind != folder && (strings.HasSuffix(c.Dest, "/") || there != nil && there.kind == folder) {
		at = path.Join(at, path.Base(source)) // the name in the instruction, not the name of a link's target
	}
	return at, nil
}

// place puts one node at a path. Links in the path must be resolved.
func place(image tree, at string, n *node, c dockerfile.Copy, out tree) error {
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
	there := image[at]
	switch {
	case there == nil:
	case n.kind == folder && there.kind != folder:
		return fmt.Errorf("COPY puts a folder at /%s, where the image has a %s: copy to its real path", at, there.kind)
	case n.kind != folder && there.kind == folder:
		return fmt.Errorf("COPY puts a file at /%s, where the image has a folder: choose another path", at)
	}
	put := *n
	put.uid, put.gid = c.UID, c.GID
	if c.Mode != nil && n.kind != link {
		put.mode = *c.Mode
	}
	out[at], image[at] = &put, &put
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
	magics := []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"} // gzip, bzip2, xz, zstd
	if slices.ContainsFunc(magics, compressed) || k > 262 && string(head[257:262]) == "ustar" {
		return fmt.Errorf("ADD of %s needs Docker: it would be unpacked; use COPY to keep it as it is", n.source)
	}
	return nil
}

// makeFolders adds the missing folders of a path. Links in the path must be resolved. Folders that the image has
// are left out of the layer, which keeps their modes as they are.
func makeFolders(image tree, p string, out tree) error {
	at := ""
	for name := range strings.SplitSeq(clean(p), "/") {
		at = path.Join(at, name)
		there := image[at]
		switch {
		case there == nil:
			out[at] = &node{kind: folder, mode: modeFolder}
			image[at] = out[at]
		case there.kind != folder:
			return fmt.Errorf("/%s is a %s in the image: no folder can be made there", at, there.kind)
		}
	}
	return nil
}

// steps applies the WORKDIR and COPY instructions of a Dockerfile to an image. It calls made with the files that each
// instruction adds.
func (b *build) steps(said *dockerfile.Image, image tree, made func(instruction string, added tree) error) error {
	for _, c := range said.Copies {
		from, err := b.from(c)
		if err != nil {
			return err
		}
		added, err := copyInto(image, from, c)
		if err != nil {
			return &dockerfile.Error{File: b.file, Line: c.Line, Msg: err.Error()}
		}
		if len(c.Sources)+len(c.Texts) == 0 && len(added) == 0 {
			continue // WORKDIR of a folder that exists adds no layer
		}
		if err := made(c.Text, added); err != nil {
			return err
		}
	}
	return nil
}
