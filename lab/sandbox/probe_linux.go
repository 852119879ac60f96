package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// ErrNamespaces says that environments cannot be made here at all.
var ErrNamespaces = errors.New("the lab needs Linux namespaces, which this process may not make")

// Probe finds out how environments can be made here: as root, or else in user namespaces. If neither works, the error
// says what to do. If one works and try is not nil, Probe calls try with the process ID of an empty environment.
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
		if errors.Is(err, syscall.ENOSPC) {
			err = errors.New("user namespaces are off, or their limit is reached (/proc/sys/user/max_user_namespaces)")
		}
		failures = append(failures, err.Error())
	}
	const setting = "kernel.apparmor_restrict_unprivileged_userns"
	restricted, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(setting, ".", "/"))
	remedy := "run it as root (sudo)"
	if os.Geteuid() == 0 {
		remedy = "give it CAP_SYS_ADMIN (docker run --privileged)"
	} else if strings.TrimSpace(string(restricted)) == "1" {
		remedy += ", or allow them: sysctl " + setting + "=0"
	}
	return false, fmt.Errorf("%w: %s: %s", ErrNamespaces, strings.Join(failures, "; "), remedy)
}

// ProbeNetwork returns why environments cannot have their own networks here, or nil if they can.
func ProbeNetwork(unprivileged bool) error {
	return probe(Spec{Unprivileged: unprivileged, Listen: []string{"127.0.0.1:9001"}}, nil)
}

// probe starts an environment with nothing but /proc.
func probe(spec Spec, try func(pid int)) error {
	spec.Probe = true
	e, err := Begin(spec, io.Discard)
	if err != nil {
		return err
	}
	defer e.Close()
	err = e.Ready()
	if err == nil && try != nil {
		try(e.PID())
	}
	return err
}
