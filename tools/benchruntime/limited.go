//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twinstart/twinstart/lab/cgroup"
)

// startLimited is start in a control group, which has no CPU limit until the group is given one. To move a process into a group takes
// milliseconds, in which a short INIT would be over: so a shell is moved, which then becomes the candidate.
func startLimited(group *cgroup.Group) func(c *candidate, address string) (*process, error) {
	return func(c *candidate, address string) (*process, error) {
		wait, word, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		defer wait.Close()
		defer word.Close()
		waiting := *c
		waiting.argv = append([]string{"/bin/sh", "-c", `read -r word && exec "$@" <&1`, "sh"}, c.argv...)
		p, err := startReading(&waiting, address, wait)
		if err != nil {
			return nil, err
		}
		err = group.Join(p.pid)
		time.Sleep(5 * time.Millisecond) // it has come to its wait by then
		p.started = time.Now()
		if _, writing := word.WriteString("\n"); err != nil || writing != nil {
			return nil, fmt.Errorf("starting %s: %w%s", c.name, errors.Join(err, writing), p.end())
		}
		return p, nil
	}
}
