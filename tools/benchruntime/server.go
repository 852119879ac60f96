//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	at       time.Time // of the last read
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
				r.connection, r.at = fd, s.at
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
		s.at = time.Now()
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

// parse takes one request off the front of text; nil if it is not complete.
func parse(text []byte) (r *request, used int, err error) {
	if !bytes.Contains(text, []byte("\r\n\r\n")) {
		return nil, 0, nil
	}
	from := bytes.NewReader(text)
	buffered := bufio.NewReader(from)
	in, err := http.ReadRequest(buffered)
	if err != nil {
		return nil, 0, fmt.Errorf("reading a request: %w", err)
	}
	body, err := io.ReadAll(in.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) || err != nil && strings.Contains(err.Error(), "trailer") { // whose end is not there yet
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading a request: %w", err)
	}
	return &request{method: in.Method, path: in.URL.Path, body: body, last: in.Close}, len(text) - from.Len() - buffered.Buffered(), nil
}
