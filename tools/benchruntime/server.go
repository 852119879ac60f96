package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// server is the Runtime API on the calling thread: poll, read, write, nothing between the wire and the clock. The lab's own is on net/http and
// a scheduler, which would add more to a warm call than the call takes.
type server struct {
	listener int
	address  string
	files    []unix.PollFd // the listener, then connections
	unread   map[int][]byte
}

// request is one call of a bootstrap.
type request struct {
	method, path string
	body         []byte
	at           time.Time // when its last bytes were read
	connection   int
	last         bool // the client wants the connection closed
}

func listen() (*server, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("starting a Runtime API: %w", err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 64)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("starting a Runtime API: %w", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("starting a Runtime API: %w", err)
	}
	return &server{listener: fd, address: "127.0.0.1:" + strconv.Itoa(name.(*unix.SockaddrInet4).Port),
		files: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, unread: map[int][]byte{}}, nil
}

func (s *server) close() {
	for _, f := range s.files {
		unix.Close(int(f.Fd))
	}
}

// wait returns the next request, or an error once until has passed.
func (s *server) wait(until time.Time) (*request, error) {
	var chunk [64 << 10]byte
	for {
		for fd, text := range s.unread {
			r, used, err := parse(text)
			if err != nil {
				return nil, err
			}
			if r != nil {
				s.unread[fd] = text[used:]
				r.connection, r.at = fd, time.Now()
				return r, nil
			}
		}
		left := time.Until(until)
		if left <= 0 {
			return nil, errors.New("no request in time")
		}
		n, err := unix.Poll(s.files, int(left/time.Millisecond)+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil, fmt.Errorf("waiting for a request: %w", err)
		}
		for i := len(s.files) - 1; n > 0 && i > 0; i-- {
			if s.files[i].Revents != 0 {
				s.read(i, chunk[:])
			}
		}
		if n > 0 && s.files[0].Revents != 0 {
			s.accept()
		}
	}
}

func (s *server) accept() {
	fd, _, err := unix.Accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	s.files = append(s.files, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	s.unread[fd] = nil
}

func (s *server) read(i int, chunk []byte) {
	fd := int(s.files[i].Fd)
	n, err := unix.Read(fd, chunk)
	switch {
	case n > 0:
		s.unread[fd] = append(s.unread[fd], chunk[:n]...)
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
	default:
		unix.Close(fd)
		delete(s.unread, fd)
		s.files = append(s.files[:i], s.files[i+1:]...)
	}
}

// answer writes a response in one go. Its bytes are far fewer than a socket's buffer holds.
func (s *server) answer(r *request, text string) error {
	if n, err := unix.Write(r.connection, []byte(text)); err != nil || n < len(text) {
		return fmt.Errorf("answering %s %s: %w", r.method, r.path, errors.Join(err, errors.New("short write")))
	}
	return nil
}

// parse takes one request off the front of text; nil where it is not complete.
func parse(text []byte) (r *request, used int, err error) {
	head := bytes.Index(text, []byte("\r\n\r\n"))
	if head < 0 {
		return nil, 0, nil
	}
	lines := strings.Split(string(text[:head]), "\r\n")
	words := strings.Fields(lines[0])
	if len(words) != 3 {
		return nil, 0, fmt.Errorf("%q is no request line", lines[0])
	}
	r = &request{method: words[0], path: words[1], last: words[2] == "HTTP/1.0"}
	length, chunked := 0, false
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			if length, err = strconv.Atoi(value); err != nil || length < 0 {
				return nil, 0, fmt.Errorf("%q is no length", value)
			}
		case "transfer-encoding":
			chunked = strings.EqualFold(value, "chunked")
		case "connection":
			r.last = r.last || strings.EqualFold(value, "close")
		}
	}
	used = head + 4
	if !chunked {
		if len(text) < used+length {
			return nil, 0, nil
		}
		r.body = bytes.Clone(text[used : used+length])
		return r, used + length, nil
	}
	return parseChunks(r, text, used)
}

// parseChunks reads a chunked body that starts at used, trailers included.
func parseChunks(r *request, text []byte, used int) (*request, int, error) {
	for {
		line, _, ok := bytes.Cut(text[used:], []byte("\r\n"))
		if !ok {
			return nil, 0, nil
		}
		digits, _, _ := strings.Cut(string(line), ";")
		size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 31)
		if err != nil {
			return nil, 0, fmt.Errorf("%q is no chunk size", line)
		}
		used += len(line) + 2
		if size == 0 {
			for {
				line, _, ok := bytes.Cut(text[used:], []byte("\r\n"))
				if !ok {
					return nil, 0, nil
				}
				if used += len(line) + 2; len(line) == 0 {
					return r, used, nil
				}
			}
		}
		if len(text) < used+int(size)+2 {
			return nil, 0, nil
		}
		r.body = append(r.body, text[used:used+int(size)]...)
		used += int(size) + 2
	}
}
