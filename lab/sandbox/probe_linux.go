package sandbox

import (
	"fmt"
	"os"
	"strings"
)

// Probe finds out how environments can be made here: as root, or else in user namespaces. The error says what to do where neither
// works.
func Probe() (unprivileged bool, err error) {
	var failures []string
	for _, unprivileged := range []bool{false, true} {
		if !unprivileged && os.Geteuid() != 0 {
			continue
		}
		err := probe(unprivileged)
		if err == nil {
			return unprivileged, nil
		}
		failures = append(failures, err.Error())
	}
	remedy := "run it as root (sudo)"
	if os.Geteuid() == 0 {
		remedy = "give it CAP_SYS_ADMIN (docker run --privileged)"
	} else if text, err := os.ReadFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"); err == nil && strings.TrimSpace(string(text)) == "1" {
		remedy = "run it as root (sudo), or allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	}
	return false, fmt.Errorf("the lab needs Linux namespaces, which this process may not make: %s: %s", strings.Join(failures, "; "), remedy)
}

// probe starts an environment that has nothing in it but its own process list.
func probe(unprivileged bool) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	e, err := Begin(Spec{Unprivileged: unprivileged, Probe: true}, null)
	if err != nil {
		return err
	}
	defer e.Kill()
	return e.Ready()
}
