package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ErrNamespaces says that environments cannot be made here at all.
var ErrNamespaces = errors.New("the lab needs Linux namespaces, which this process may not make")

// Probe finds out how environments can be made here: as root, or else in user namespaces. If neither works, the
// error says what to do. If one works, try is called with the process ID of an empty environment, so that more can
// be tested. try may be nil.
func Probe(try func(pid int)) (unprivileged bool, err error) {
	var failures []string
	for _, unprivileged := range []bool{false, true} {
		if !unprivileged && os.Geteuid() != 0 {
			continue
		}
		err := probe(Spec{Unprivileged: unprivileged}, try)
		if err == nil {
			return unprivileged, nil
		}
		if errors.Is(err, syscall.ENOSPC) { // what the kernel says of a limit
			failures = append(failures, "user namespaces are used up or off (/proc/sys/user/max_user_namespaces)")
			continue
		}
		failures = append(failures, err.Error())
	}
	remedy := "run it as root (sudo)"
	if os.Geteuid() == 0 {
		remedy = "give it CAP_SYS_ADMIN (docker run --privileged)"
	} else if text, err := os.ReadFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"); err == nil && strings.TrimSpace(string(text)) == "1" {
		remedy = "run it as root (sudo), or allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	}
	return false, fmt.Errorf("%w: %s: %s", ErrNamespaces, strings.Join(failures, "; "), remedy)
}

// ProbeNetwork returns why environments cannot have their own networks here, or nil if they can.
func ProbeNetwork(unprivileged bool) error {
	return probe(Spec{Unprivileged: unprivileged, Listen: []string{"127.0.0.1:9001"}}, nil)
}

// probe starts an environment that contains only its own process list.
func probe(spec Spec, try func(pid int)) error {
	spec.Probe = true
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	e, err := Begin(spec, null)
	if err != nil {
		return err
	}
	defer func() {
		e.Kill()
		<-e.Gone()
	}()
	if err := e.Ready(); err != nil {
		return err
	}
	if try != nil {
		try(e.PID())
	}
	return nil
}
