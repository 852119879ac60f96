package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// prefix starts the name of a lab's group. The process ID and the number of the lab in that process follow.
const prefix = "twinstart-"

var labs atomic.Int64

func open() *hierarchy {
	var h *hierarchy
	var st unix.Statfs_t
	err := unix.Statfs("/sys/fs/cgroup", &st)
	switch {
	case err == nil && st.Type == unix.CGROUP2_SUPER_MAGIC:
		h, err = openV2("/sys/fs/cgroup")
	case err == nil && st.Type == unix.TMPFS_MAGIC: // version 1, or both
		h, err = openV1()
	default:
		err = errors.New("no control groups are mounted at /sys/fs/cgroup")
	}
	if err != nil {
		return unavailable(err)
	}
	if h.own.cpu != "" {
		h.keepBandwidthOn()
	}
	return h
}

// ownPath returns this process's group in the hierarchy of a controller ("" for version 2). text is
// /proc/self/cgroup, with lines "ID:controller,controller:path".
func ownPath(text, controller string) string {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if controllers := strings.Split(parts[1], ","); slices.Contains(controllers, controller) {
			return parts[2]
		}
	}
	return "/"
}

// mountPoint returns where a version 1 controller is mounted (dir), and which group of the hierarchy is mounted
// there (root). text is /proc/self/mountinfo.
func mountPoint(text, controller string) (root, dir string, ok bool) {
	for line := range strings.Lines(text) {
		before, after, found := strings.Cut(strings.TrimSpace(line), " - ")
		fields, tail := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 5 || len(tail) < 3 || tail[0] != "cgroup" {
			continue
		}
		if slices.Contains(strings.Split(tail[2], ","), controller) {
			return fields[3], fields[4], true
		}
	}
	return "", "", false
}

// below returns the folder of a group under a mount whose root is another group. If the group is not below that
// root, it returns the mount.
func below(root, dir, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
		return filepath.Join(dir, rel)
	}
	return dir
}

// ownGroup makes the group of this lab below parent.
func ownGroup(parent string) (string, error) {
	dir := filepath.Join(parent, fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), labs.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

// sweepDepth is how many levels below a mount sweep looks for a lab's group. That is enough for a process in a
// service in a slice of a user.
const sweepDepth = 5

// sweep removes what killed labs have left below dir: groups without processes whose name has the ID of a process
// that no longer exists. A lab's group is below that of the process that started it, so it can be anywhere.
func sweep(dir string, depth int) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		name, ours := strings.CutPrefix(entry.Name(), prefix)
		id, _, _ := strings.Cut(name, "-")
		pid, err := strconv.Atoi(id)
		switch {
		case ours && err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH):
			removeTree(path)
		case !ours && depth > 1:
			sweep(path, depth-1)
		}
	}
}

// openV1 makes the lab's group in each hierarchy of version 1, which has one for each controller.
func openV1() (*hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	h := &hierarchy{version: "v1"}
	var failures []error
	for _, c := range h.own.controllers() {
		root, dir, ok := mountPoint(string(mounts), c.name)
		if !ok {
			err = fmt.Errorf("controller %s is not mounted", c.name)
		} else {
			sweep(dir, sweepDepth)
			*c.dir, err = ownGroup(below(root, dir, ownPath(string(own), c.name)))
		}
		if err != nil {
			failures = append(failures, err)
			h.warnings = append(h.warnings, c.cost+": "+err.Error())
		}
	}
	if len(failures) == 3 {
		return nil, errors.Join(failures...)
	}
	return h, nil
}

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
