package runtimeapi

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Calls of a bootstrap that has ended, sent or still waiting, on any number of connections, must not count as the
// next one's.
func TestResetLeavesNothingOnItsWay(t *testing.T) {
	s := listen(t)
	for round := range 50 {
		var conns []net.Conn
		for range 5 {
			conn, err := net.Dial("tcp", s.Address())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			conn.Close()
		}
		s.Reset()
		select {
		case e := <-s.Events():
			t.Fatalf("round %d: %+v came after Reset", round, e)
		case <-time.After(2 * time.Millisecond):
		}
		if calls := s.Calls(); len(calls) > 0 {
			t.Fatalf("round %d: calls %q", round, calls)
		}
	}
}

// A connection that waits to be accepted, here because a bootstrap had opened as many as it may, must be closed too.
func TestResetClosesWhatIsNotAccepted(t *testing.T) {
	s := listen(t)
	for range MaxConnections + 10 {
		conn, err := net.Dial("tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	s.Reset()
	if status, _, _ := call(t, s, "x", ""); status != http.StatusNotFound {
		t.Errorf("after Reset: %d", status)
	}
	if calls := s.Calls(); len(calls) != 1 {
		t.Errorf("%d calls after Reset", len(calls))
	}
}
