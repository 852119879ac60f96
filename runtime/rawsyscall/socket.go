package main

import (
	"io"
	"syscall"
	"unsafe"

	"github.com/twinstart/twinstart/runtime/phases"
)

// socket is a connection to the Runtime API. It implements what httpwire needs.
type socket struct {
	fd      int
	patient bool // the next request is GET /next, whose answer may take long
	idle    bool // the next Read waits for that answer and attends to the worker meanwhile
}

// Read implements io.Reader. If a signal to end the environment comes during an idle Read, Read ends the program.
func (s *socket) Read(b []byte) (int, error) {
	if s.idle {
		write(2, phases.InitEnds())
		_ = prepareFiles() // handle tries again and reports an error
		idleUntil(s.fd)
		phases.EventArrives()
		s.idle = false
	}
	n, errno := read(s.fd, b)
	switch {
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (s *socket) Write(b []byte) (int, error) {
	s.idle = s.patient
	if errno := send(s.fd, b); errno != 0 {
		return 0, errno
	}
	return len(b), nil
}

// Close implements io.Closer.
func (s *socket) Close() error {
	shut(&s.fd)
	return nil
}

// connect opens the socket to the host and port of AWS_LAMBDA_RUNTIME_API.
func (s *socket) connect() error {
	address, ok := parseAddress(settings.api)
	if !ok {
		return addressError("not an IPv4 address and port: set AWS_LAMBDA_RUNTIME_API to, for example, 127.0.0.1:9001")
	}
	fd, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return errno
	}
	s.fd = int(fd)
	for {
		_, _, errno = syscall.RawSyscall(syscall.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&address)), unsafe.Sizeof(address))
		if errno != syscall.EINTR {
			break
		}
	}
	if errno != 0 {
		shut(&s.fd)
		return errno
	}
	one := int32(1) // the last segment of a long response must not wait for earlier acknowledgements
	_, _, _ = syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY,
		uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one), 0)
	return nil
}

// addressError says that the value of AWS_LAMBDA_RUNTIME_API cannot be used.
type addressError string

func (e addressError) Error() string { return string(e) }

// parseAddress parses "127.0.0.1:9001" or "localhost:9001". Lambda sends an address, never a name.
func parseAddress(s string) (syscall.RawSockaddrInet4, bool) {
	address := syscall.RawSockaddrInet4{Family: syscall.AF_INET}
	host, digits, _ := cut(s, ':')
	port, ok := decimal(digits)
	if !ok || port < 1 || port > 65535 {
		return address, false
	}
	address.Port = uint16(port>>8 | port&0xff<<8) // network byte order, on machines that are little-endian
	if host == "localhost" {
		host = "127.0.0.1"
	}
	for i := range 4 {
		part, rest, more := cut(host, '.')
		n, ok := decimal(part)
		if !ok || n > 255 || len(part) > 3 || more != (i < 3) {
			return address, false
		}
		address.Addr[i], host = byte(n), rest
	}
	return address, true
}
