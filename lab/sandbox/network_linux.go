package sandbox

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

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
		at, err := netip.ParseAddrPort(address)
		if err == nil {
			fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		}
		if err == nil {
			err = unix.Bind(fds[i], &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())})
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

// handOver returns a pair of sockets: one for the lab and one for process 1.
func handOver() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("starting an execution environment: %w", os.NewSyscallError("socketpair", err))
	}
	return os.NewFile(uintptr(fds[0]), "listeners"), os.NewFile(uintptr(fds[1]), "listeners"), nil
}

// takeOver receives n listeners from process 1.
func takeOver(from *os.File, n int) ([]net.Listener, error) {
	control := make([]byte, unix.CmsgSpace(4*n))
	_, length, _, _, err := unix.Recvmsg(int(from.Fd()), make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:length])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receiving listeners: %d messages, %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, fmt.Errorf("receiving listeners: %w", err)
	}
	var listeners []net.Listener
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "listener "+strconv.Itoa(fd))
		l, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
