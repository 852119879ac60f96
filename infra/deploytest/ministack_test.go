//go:build deploy

package deploytest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// repository is the folder that holds cdk.json.
var repository = func() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return dir
}()

// tools is the folder in which make test-deploy installs the tools of these tests.
var tools = filepath.Join(repository, "build", "tools", "deploy", "bin")

// ministack is one process for all tests. Each test has its own account there.
type ministack struct {
	endpoint string
	dir      string
	cmd      *exec.Cmd
	alive    io.Closer // see tether
	ended    chan struct{}

	bootstrapped struct { // what the CDK CLI made in the first account
		once       sync.Once
		template   *string
		parameters []types.Parameter
	}
}

var shared struct {
	once sync.Once
	*ministack
	err error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if shared.ministack != nil {
		shared.stop()
	}
	os.Exit(status)
}

// sharedMinistack starts MiniStack for the first test that asks.
func sharedMinistack(t *testing.T) *ministack {
	t.Helper()
	shared.once.Do(func() { shared.ministack, shared.err = startMinistack() })
	if shared.err != nil {
		t.Fatalf("starting MiniStack (make test-deploy installs it): %v", shared.err)
	}
	return shared.ministack
}

// untilStdinEnds runs a program until standard input ends, then kills its process group.
const untilStdinEnds = `exec 3<&0; (cat <&3 >/dev/null; kill -KILL 0) & exec "$0" "$@" </dev/null 3<&-`

// tether makes a command for a program that ends with this process, however this process ends. Closing alive kills the
// program and its children.
func tether(program string, args ...string) (cmd *exec.Cmd, alive io.Closer, err error) {
	cmd = exec.Command("/bin/sh", append([]string{"-c", untilStdinEnds, program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err = cmd.StdinPipe()
	return cmd, alive, err
}

// startMinistack starts MiniStack on a free loopback port.
func startMinistack() (*ministack, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ministack-")
	if err != nil {
		return nil, err
	}
	m := &ministack{endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), dir: dir, ended: make(chan struct{})}
	if m.cmd, m.alive, err = tether(filepath.Join(tools, "ministack")); err != nil {
		return nil, err
	}
	log, err := os.Create(m.log())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	m.cmd.Env = append(plainEnvironment(m.dir), "BIND_HOST=127.0.0.1", fmt.Sprintf("GATEWAY_PORT=%d", port), "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0")
	m.cmd.Dir, m.cmd.Stdout, m.cmd.Stderr = m.dir, log, log
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { m.cmd.Wait(); close(m.ended) }()
	if err := m.await(); err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

// await returns once MiniStack answers.
func (m *ministack) await() error {
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-m.ended:
			return fmt.Errorf("it ended: %s", m.logTail())
		default:
		}
		answer, err := http.Get(m.endpoint + "/_ministack/health")
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("it did not answer in 3 minutes: %s", m.logTail())
}

// stop ends MiniStack and the functions that it has started.
func (m *ministack) stop() {
	m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.ended:
	case <-time.After(5 * time.Second):
	}
	m.alive.Close()
	<-m.ended
	os.RemoveAll(m.dir)
}

func (m *ministack) log() string { return filepath.Join(m.dir, "ministack.log") }

func (m *ministack) logTail() string {
	text, _ := os.ReadFile(m.log())
	return string(text[max(0, len(text)-2000):])
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
