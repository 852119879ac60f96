package runtimeapi

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// After Reset, no call of the bootstrap that has ended may count as a call of the next one. That holds for calls that
// have just arrived and for calls that wait for an answer, on any number of connections.
func TestResetDropsCallsOnTheirWay(t *testing.T) {
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

// Reset must also close connections that the server has not accepted yet. Here they wait because there are more than
// MaxConnections.
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
		t.Errorf("a call after Reset: status %d", status)
	}
	if calls := s.Calls(); len(calls) != 1 {
		t.Errorf("%d calls after Reset", len(calls))
	}
}
