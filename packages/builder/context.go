package builder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// readContext lists the files that COPY can see: those in the folder that .dockerignore does not exclude. Contents
// are read later, when a layer is written.
func readContext(dir, dockerfile string) (tree, error) {
	ignored, err := readIgnore(dir, dockerfile)
	if err != nil {
		return nil, fmt.Errorf("reading .dockerignore: %w", err)
	}
	var t tree
	if dir, err = filepath.EvalSymlinks(dir); err == nil {
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			return nil, fmt.Errorf("reading the build context: %s is not a folder: any other context needs Docker", dir)
		}
		t, err = readTree(dir, ignored)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the build context: %w", err)
	}
	return t, nil
}

// readTree lists the names in a folder that are not ignored.
func readTree(dir string, ignored *patternmatcher.PatternMatcher) (tree, error) {
	t := newTree()
	return t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		skip, err := ignored.MatchesOrParentMatches(relative)
		if err != nil {
			return fmt.Errorf("matching %s with .dockerignore: %w", relative, err)
		}
		if skip {
			// Skip a folder only if no file in it can be included again. An ignored folder is added together with
			// its first included file.
			if entry.IsDir() && !ignored.Exclusions() {
				return fs.SkipDir
			}
			return nil
		}
		n, err := contextNode(name, entry)
		if err != nil {
			return err
		}
		t.put(relative, n)
		return nil
	})
}

func contextNode(name string, entry fs.DirEntry) (*node, error) {
	switch entry.Type() {
	case fs.ModeDir:
		return &node{kind: folder, mode: modeFolder}, nil
	case fs.ModeSymlink:
		target, err := os.Readlink(name)
		return &node{kind: link, mode: modeLink, target: target}, err
	case 0:
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		n := &node{mode: modeFile, source: name, size: info.Size()}
		if info.Mode()&0o111 != 0 {
			n.mode |= 0o111
		}
		return n, nil
	}
	return nil, fmt.Errorf("%s is neither file, folder nor symbolic link: remove it or name it in .dockerignore", name)
}

// readIgnore reads the ignore file of a Dockerfile, or else that of the context. If there is neither, nothing is
// ignored.
func readIgnore(dir, dockerfile string) (*patternmatcher.PatternMatcher, error) {
	f, err := os.Open(dockerfile + ".dockerignore")
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(filepath.Join(dir, ".dockerignore"))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return patternmatcher.New(nil)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var matcher *patternmatcher.PatternMatcher
	patterns, err := ignorefile.ReadAll(f)
	if err == nil {
		matcher, err = patternmatcher.New(patterns)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return matcher, nil
}
