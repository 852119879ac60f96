package inside

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// network brings up the loopback interface, the only one, and returns a listening socket for each address.
func network(addresses []string) (fds []int, err error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	for _, address := range addresses {
		var at unix.SockaddrInet4
		_, err := fmt.Sscanf(address, "%d.%d.%d.%d:%d", &at.Addr[0], &at.Addr[1], &at.Addr[2], &at.Addr[3], &at.Port)
		fd := -1
		if err == nil {
			fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		}
		if err == nil {
			err = unix.Bind(fd, &at)
		}
		if err == nil {
			err = unix.Listen(fd, unix.SOMAXCONN)
		}
		if err != nil {
			return nil, fmt.Errorf("listening on %s: %w", address, err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
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
