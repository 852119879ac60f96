package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// openV2 makes the lab's group in the first place that works: as root at the top, else beside or below this
// process's own group, if a session manager has delegated that to the user. Except for the root, a group that
// contains processes cannot enable controllers for groups below it.
func openV2(mount string) (*hierarchy, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	sweep(mount, sweepDepth)
	own := filepath.Join(mount, ownPath(string(text), ""))
	var failures []error
	for _, parent := range []string{mount, filepath.Dir(own), own} {
		if !strings.HasPrefix(parent, mount) {
			continue
		}
		h, err := v2At(parent)
		if err == nil {
			return h, nil
		}
		failures = append(failures, err)
	}
	return nil, failures[len(failures)-1]
}

func v2At(parent string) (*hierarchy, error) {
	h := &hierarchy{version: "v2"}
	for _, c := range h.own.controllers() {
		tryWrite(parent, "cgroup.subtree_control", "+"+c.name) // one by one, so that a missing controller does not affect the others
	}
	text, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	enabled := strings.Fields(string(text))
	if !slices.ContainsFunc(h.own.controllers(), func(c controller) bool { return slices.Contains(enabled, c.name) }) {
		return nil, fmt.Errorf("neither cpu nor memory nor pids is delegated in %s", parent)
	}
	dir, err := ownGroup(parent)
	if err != nil {
		return nil, err
	}
	for _, c := range h.own.controllers() {
		if !slices.Contains(enabled, c.name) {
			h.warnings = append(h.warnings, fmt.Sprintf("%s: controller %s is not delegated in %s", c.cost, c.name, parent))
			continue
		}
		*c.dir = dir
		if err := write(dir, "cgroup.subtree_control", "+"+c.name); err != nil {
			removeTree(dir)
			return nil, err
		}
	}
	return h, nil
}
