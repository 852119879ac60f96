//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// The account and region that MiniStack plays.
const (
	account = "000000000000"
	region  = "us-east-1"
)

// repository is the folder that holds cdk.json.
var repository = func() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return dir
}()

// emulator is a MiniStack of this test's own, on a free port of loopback.
type emulator struct {
	endpoint string
	dir      string // for what it and the CDK CLI write
	log      string
}

// startEmulator starts MiniStack and ends it with the test, with whatever functions it has started.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	program := filepath.Join(repository, "build", "tools", "deploy", "bin", "ministack")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: make test-deploy installs it", err)
	}
	port := freePort(t)
	e := &emulator{endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), dir: t.TempDir()}
	e.log = filepath.Join(e.dir, "ministack.log")
	log, err := os.Create(e.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program)
	cmd.Env = append(e.environment(), "BIND_HOST=127.0.0.1", fmt.Sprintf("GATEWAY_PORT=%d", port), "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0")
	cmd.Dir, cmd.Stdout, cmd.Stderr = e.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group is of this test's making
		<-ended
	})
	e.await(t, ended)
	return e
}

// await returns once MiniStack answers.
func (e *emulator) await(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("MiniStack ended: %s", e.logTail())
		default:
		}
		answer, err := http.Get(e.endpoint + "/_ministack/health")
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("MiniStack did not answer in 30 s: %s", e.logTail())
}

func (e *emulator) logTail() string {
	text, _ := os.ReadFile(e.log)
	return string(text[max(0, len(text)-2000):])
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// environment has nothing of the user's AWS configuration: no call can reach a real account. The CDK CLI caches the account of an
// access key in CDK_HOME.
func (e *emulator) environment() []string {
	kept := []string{}
	for _, name := range []string{"PATH", "HOME", "LANG", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "XDG_CACHE_HOME"} {
		if value, set := os.LookupEnv(name); set {
			kept = append(kept, name+"="+value)
		}
	}
	return append(kept,
		"AWS_ENDPOINT_URL="+e.endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION="+region,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"CDK_HOME="+filepath.Join(e.dir, "cdk-home"), "CDK_DISABLE_CLI_TELEMETRY=true", "TMPDIR="+e.dir, "NO_COLOR=1",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

// config is that of the test's own calls.
func (e *emulator) config(t *testing.T) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(region), config.WithBaseEndpoint(e.endpoint),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// run runs a command in the repository and returns what it printed; its status is not to be hidden by a pipe.
func (e *emulator) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return e.begin(t, name, args...).done(t)
}

// running is a command that may still run.
type running struct {
	wait func() (output string, err error)
	what string
}

// begin starts a command in the repository.
func (e *emulator) begin(t *testing.T, name string, args ...string) running {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = repository, e.environment(), &output, &output
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	what, took := filepath.Base(name)+" "+args[0], time.Duration(0)
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		took = time.Since(began)
		ended <- err
	}()
	return running{what: what, wait: func() (string, error) {
		err := <-ended
		t.Logf("%5.1f s  %s", took.Seconds(), what)
		if err != nil {
			err = fmt.Errorf("%w\nMiniStack's log ends:\n%s", err, e.logTail())
		}
		return output.String(), err
	}}
}

// done waits for a command that has to succeed.
func (r running) done(t *testing.T) string {
	t.Helper()
	output, err := r.wait()
	if err != nil {
		t.Fatalf("%s: %v\n%s", r.what, err, output)
	}
	return output
}

// failing waits for a command that has to fail.
func (r running) failing(t *testing.T) string {
	t.Helper()
	output, err := r.wait()
	if err == nil {
		t.Errorf("%s: exit status 0, want another", r.what)
	}
	return output
}

// cdk runs the pinned CDK CLI.
func (e *emulator) cdk(t *testing.T, args ...string) string {
	t.Helper()
	return e.run(t, cdkCLI, args...)
}

var cdkCLI = filepath.Join(repository, "node_modules", ".bin", "cdk")
