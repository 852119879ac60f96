package cgroup

import (
	"errors"
	"fmt"
	"os"
)

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
