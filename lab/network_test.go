package lab_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/lab"
)

// shell runs a script in a function and returns what it wrote.
func shell(t *testing.T, c *lambda.Client, script string) string {
	t.Helper()
	event, err := json.Marshal(map[string]string{"do": "shell", "path": script})
	must(t, err)
	got := invoke(t, c, "F", string(event))
	if got.failure != "" {
		t.Fatalf("%s: %+v", script, got)
	}
	return got.payload
}

// What a handler tries to reach beyond its own Runtime API is not there.
func TestAttacksOverTheNetwork(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a loopback service was reached") }))
	t.Cleanup(service.Close)
	name := fmt.Sprintf("@twinstart-lab-test-%d", os.Getpid())
	abstract, err := new(net.ListenConfig).Listen(t.Context(), "unix", name)
	must(t, err)
	t.Cleanup(func() { abstract.Close() })
	c := client(t, newLab(t, function(t, "F", nil)))
	port := service.Listener.Addr().(*net.TCPAddr).String()
	for _, attack := range []struct{ what, script, want string }{
		{"a service of this machine, such as the lab's own API", "exec 3<>/dev/tcp/" + strings.Replace(port, ":", "/", 1), "Connection refused"},
		{"instance metadata", "exec 3<>/dev/tcp/169.254.169.254/80", "Network is unreachable"},
		{"any other machine", "exec 3<>/dev/tcp/192.0.2.1/80", "Network is unreachable"},
		{"Runtime APIs of others", `awk '$4 == "0A" {print $2}' /proc/net/tcp | tr '\n' ' '`, `"0100007F:2329 `}, // its own
		{"abstract sockets", "grep -c " + name + " /proc/net/unix; :", `"0`},
		{"interfaces", `tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \n'`, `"lo`},
	} {
		if got := shell(t, c, attack.script); !strings.Contains(got, attack.want) {
			t.Errorf("%s: %s", attack.what, got)
		}
	}
}

func TestNobodyOutsideReachesAFunction(t *testing.T) {
	t.Parallel()
	log := &log{}
	c := client(t, openLab(t, logTo(log), function(t, "F", nil)))
	done := make(chan outcome)
	go func() { done <- invoke(t, c, "F", `{"do":"listen","size":1000,"path":"0.0.0.0:19555"}`) }()
	log.await(t, "listening: <nil>")
	if conn, err := net.Dial("tcp", "127.0.0.1:19555"); err == nil {
		conn.Close()
		t.Error("what a function listens on can be reached from outside")
	}
	if got := <-done; got.failure != "" {
		t.Errorf("got %+v", got)
	}
}

func TestAllowedServices(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "for "+r.Host+" "+r.URL.Path)
	}))
	t.Cleanup(service.Close)
	to, err := url.Parse(service.URL)
	must(t, err)
	script := `u=${AWS_ENDPOINT_URL_DYNAMODB#http://}; exec 3<>/dev/tcp/${u/:/\/}; printf 'GET /a HTTP/1.0\r\nHost: h\r\n\r\n' >&3; tail -n 1 <&3`
	for _, network := range []lab.Network{lab.OwnNetwork, lab.HostNetwork} {
		c := client(t, openLab(t, lab.Options{Network: network, Allow: []lab.Door{{Name: "dynamodb", URL: to}}}, function(t, "F", nil)))
		if got := shell(t, c, script); !strings.Contains(got, "for h /a") {
			t.Errorf("network %s: %s", network, got)
		}
	}
}

func TestDoors(t *testing.T) {
	t.Parallel()
	var d lab.Door
	if err := d.UnmarshalText([]byte("dynamodb=http://127.0.0.1:8000")); err != nil || d.Name != "dynamodb" || d.URL.Port() != "8000" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, bad := range []string{"", "dynamodb", "dynamodb=", "=http://x", "DynamoDB=http://x", "d=ftp://x", "d=127.0.0.1:8000", "d=http://%zz"} {
		if err := d.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "is not NAME=URL") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
