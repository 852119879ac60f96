package inside

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// handOverFD is the descriptor on which process 1 sends the lab the listeners inside the environment's own network.
const handOverFD = 5

// network brings up the loopback interface, the only one, and sends a listening socket for each address.
func (c child) network(addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	fds := make([]int, len(addresses))
	for i, address := range addresses {
		var at unix.SockaddrInet4
		_, err := fmt.Sscanf(address, "%d.%d.%d.%d:%d", &at.Addr[0], &at.Addr[1], &at.Addr[2], &at.Addr[3], &at.Port)
		if err == nil {
			fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		}
		if err == nil {
			err = unix.Bind(fds[i], &at)
		}
		if err == nil {
			err = unix.Listen(fds[i], unix.SOMAXCONN)
		}
		if err != nil {
			return fmt.Errorf("listening on %s: %w", address, err)
		}
	}
	if err := unix.Sendmsg(handOverFD, []byte{0}, unix.UnixRights(fds...), nil, 0); err != nil {
		return os.NewSyscallError("sendmsg", err)
	}
	for _, fd := range append(fds, handOverFD) {
		_ = unix.Close(fd)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return os.NewSyscallError("ioctl(SIOCSIFFLAGS)", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}
