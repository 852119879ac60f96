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

	"github.com/twinstart/twinstart/lab/usage"
)

// mount is where Linux distributions mount version 2, or a folder for each controller of version 1.
const mount = "/sys/fs/cgroup"

// find makes the lab's group. As root that is at the top, else beside or below this process's group, if a session
// manager has delegated that to the user.
func find() (*Manager, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, errors.New("control groups need Linux")
	}
	if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err != nil {
		return findV1(mount, string(text))
	}
	sweep(mount, sweepDepth)
	own := ownFolder(mount, string(text), "")
	m, err := findV2(mount)
	for _, parent := range []string{filepath.Dir(own), own} {
		if err != nil && own != mount {
			m, err = findV2(parent)
		}
	}
	return m, err
}

// ownFolder returns the folder of this process's group in the hierarchy of a controller ("" for version 2), or the top
// of the hierarchy if a container sees only a part of it. text is /proc/self/cgroup, with lines
// "ID:controller,controller:path".
func ownFolder(top, text, controller string) string {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || !slices.Contains(strings.Split(parts[1], ","), controller) {
			continue
		}
		dir := filepath.Join(top, parts[2])
		if _, err := os.Stat(dir); err == nil && strings.HasPrefix(dir+"/", top+"/") {
			return dir
		}
	}
	return top
}

// findV1 makes the lab's group in each hierarchy of version 1; there is one for each controller.
func findV1(mount, own string) (*Manager, error) {
	m := &Manager{version: "v1"}
	for c, controller := range controllers {
		top := filepath.Join(mount, controller.name)
		_, err := os.Stat(filepath.Join(top, "cgroup.procs"))
		if err != nil {
			err = fmt.Errorf("controller %s is not mounted", controller.name)
		} else {
			sweep(top, sweepDepth)
			m.own[c], err = ownGroup(ownFolder(top, own, controller.name))
		}
		if err != nil {
			m.warnings = append(m.warnings, controller.cost+": "+err.Error())
		}
	}
	if len(m.warnings) == len(controllers) {
		return nil, errors.New(strings.Join(m.warnings, "; "))
	}
	return m, nil
}

// findV2 makes the lab's group below parent. Except for the root, a group that contains processes cannot enable
// controllers for groups below it.
func findV2(parent string) (*Manager, error) {
	for _, c := range controllers { // one by one, so that a missing controller does not affect the others
		_ = write(parent, "cgroup.subtree_control", "+"+c.name)
	}
	text, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	dir, err := ownGroup(parent)
	if err != nil {
		return nil, err
	}
	m := &Manager{version: "v2"}
	for c, controller := range controllers {
		if !slices.Contains(strings.Fields(string(text)), controller.name) {
			m.warnings = append(m.warnings, controller.cost+": controller "+controller.name+" is not delegated in "+parent)
		} else if err = write(dir, "cgroup.subtree_control", "+"+controller.name); err == nil {
			m.own[c] = dir
		} else {
			break
		}
	}
	if err == nil && len(m.warnings) == len(controllers) {
		err = fmt.Errorf("neither cpu nor memory nor pids is delegated in %s", parent)
	}
	if err != nil {
		removeTree(dir)
		return nil, err
	}
	return m, nil
}

// prefix starts the name of a lab's group. The process ID and the number of the lab in that process follow.
const prefix = "twinstart-"

var labs atomic.Int64

// ownGroup makes the group of this lab below parent.
func ownGroup(parent string) (string, error) {
	dir := filepath.Join(parent, fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), labs.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

// sweepDepth is the number of levels below a mount where sweep looks for a lab's group. It is enough for a process in a
// service in a user's slice.
const sweepDepth = 5

// sweep removes the groups that killed labs have left below dir: groups without processes whose name has the ID of a
// process that no longer exists. A lab's group can be anywhere, because it is below the group of its starter.
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
		case ours && err == nil && usage.Ended(pid):
			removeTree(path)
		case !ours && depth > 1:
			sweep(path, depth-1)
		}
	}
}
