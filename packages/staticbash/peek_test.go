package staticbash

import (
	"net"
	"testing"
	"time"
)

// TestLinesFromASocket checks src/peek.c: from a socket each read command takes its line and not one byte more,
// however the bytes arrive. The next reader can read with other options or in another locale, or be another process.
func TestLinesFromASocket(t *testing.T) {
	pieces := []string{"one\r\ntw", "o\nthr\\\nee\n\xc3\xa9t\xc3\xa9\nby -d:ti", "me\nfork\nsixsix", "six\nNUL\x00s\n", "4 bytes\nlast"}
	const script = `LC_ALL=C
read -r -u 9 x && printf '<%q>' "$x"
read -r -u 9 x && printf '<%q>' "$x"
read -u 9 x && printf '<%q>' "$x"
LC_ALL=C.UTF-8; read -r -u 9 x && printf '<%s>' "${#x}"; LC_ALL=C
read -r -d : -u 9 x && printf '<%q>' "$x"
read -r -t 5 -u 9 x && printf '<%q>' "$x"
(read -r -u 9 x && printf '<%q>' "$x")
read -r -N 6 -u 9 x && printf '<%q>' "$x"
read -r -u 9 x && printf '<%q>' "$x"
read -r -u 9 x && printf '<%q>' "$x"
read -r -n 2 -u 9 x && printf '<%q>' "$x"
read -r -u 9 x y <&9 && printf '<%q %q>' "$x" "$y"
read -r -u 9 x || printf '<%q>' "$x"
read -r -u 9 x || printf end`
	const want = `<$'one\r'><two><three><3><by\ -d><time><fork><sixsix><six><NULs><4><bytes ''><last>end`
	forEach(t, func(t *testing.T, argv []string) {
		t.Parallel()
		host, port, _ := net.SplitHostPort(serveOnce(t, func(conn net.Conn) {
			for _, piece := range pieces {
				if _, err := conn.Write([]byte(piece)); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}))
		if got := runBash(t, argv, "exec 9<>/dev/tcp/"+host+"/"+port+"\n"+script); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
