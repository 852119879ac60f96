//go:build linux

package lab_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/packages/archive"
)

// What a handler may try outside its own environment, and the answer that it must get.
func TestAttacks(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a function reached a service of this machine") }))
	t.Cleanup(service.Close)
	abstractName := fmt.Sprintf("@twinstart-lab-test-%d", os.Getpid())
	abstract, err := new(net.ListenConfig).Listen(t.Context(), "unix", abstractName)
	must(t, err)
	t.Cleanup(func() { abstract.Close() })
	root, err := syscall.Open("/", syscall.O_RDONLY, 0) // without O_CLOEXEC, like a shell's files
	must(t, err)
	t.Cleanup(func() { syscall.Close(root) })
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 60, "MemorySize": 512}), function(t, "Small", nil))
	c := client(t, l)
	labAPI := httptest.NewServer(l)
	t.Cleanup(labAPI.Close)
	shell := func(script string) string { return attack(t, l, "shell", script) }
	// call makes a system call. Its number differs on amd64 and arm64.
	call := func(number [2]int, arguments ...uintptr) func() string {
		n := number[0]
		if runtime.GOARCH == "arm64" {
			n = number[1]
		}
		text, err := json.Marshal(append([]uintptr{uintptr(n)}, arguments...))
		must(t, err)
		return func() string { return attack(t, l, "syscall", string(text)) }
	}
	script := func(text string) func() string { return func() string { return shell(text) } }
	const refused = "operation not permitted"
	dial := func(server *httptest.Server) func() string {
		return script("exec 3<>/dev/tcp/" + strings.Replace(server.Listener.Addr().String(), ":", "/", 1))
	}
	for _, a := range []struct {
		id, what string
		do       func() string
		want     string
	}{
		{"SEC-0", "descriptors that the lab inherited from its shell", script(`cd /proc/self/fd; echo *`), `"0 1 2 3\n`},
		{"SEC-1", "other functions' Runtime APIs: only its own listens", script(`awk '$4 == "0A" {print $2}' /proc/net/tcp | tr '\n' ' '`), `"0100007F:2329 `},
		{"SEC-1", "garbage to its own Runtime API", script(`for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/9001; printf '\x00\xff\r\n\r\n' >&3; exec 3>&-; done; echo served`), "served"},
		{"SEC-1", "network interfaces", script(`tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \n'`), `"lo`},
		{"SEC-2", "the lab's own API", dial(labAPI), "Connection refused"},
		{"SEC-3", "a web page in a browser", func() string { return fromAPage(t, l) }, "403 403"},
		{"SEC-4", "a service of this machine", dial(service), "Connection refused"},
		{"SEC-4", "instance metadata", script("exec 3<>/dev/tcp/169.254.169.254/80"), "Network is unreachable"},
		{"SEC-4", "any other machine", script("exec 3<>/dev/tcp/192.0.2.1/80"), "Network is unreachable"},
		{"SEC-5", "abstract sockets", script("grep -c " + abstractName + " /proc/net/unix; :"), `"0`},
		{"SEC-7", "keys: keyctl", call([2]int{250, 219}), refused},
		{"SEC-7", "keys: add_key", call([2]int{248, 217}), refused},
		{"SEC-7", "keys: request_key", call([2]int{249, 218}), refused},
		{"SEC-8", "user namespace by unshare", call([2]int{272, 97}, unix.CLONE_NEWUSER), refused},
		{"SEC-8", "user namespace by clone", call([2]int{56, 220}, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)), refused},
		{"SEC-8", "user namespace by clone3", call([2]int{435, 435}), "function not implemented"},
		{"SEC-8", "network namespace by unshare", call([2]int{272, 97}, unix.CLONE_NEWNET), refused},
		{"SEC-8", "another's namespaces by setns", call([2]int{308, 268}), refused},
		{"SEC-8", "user namespace by another ABI", script(otherABI), "refused"},
		{"SEC-8", "chroot", call([2]int{161, 51}), refused},
		{"SEC-8", "a file by its handle", call([2]int{304, 265}), refused},
		{"SEC-8", "the machine's hypervisor by vsock", call([2]int{41, 198}, unix.AF_VSOCK, unix.SOCK_STREAM), refused},
		{"SEC-8", "raw packets", call([2]int{41, 198}, unix.AF_PACKET, unix.SOCK_RAW), refused},
		{"SEC-8", "root's rights by setuid", func() string { // in a user namespace without that user it is "invalid argument"
			return strings.Replace(call([2]int{105, 146}, 0)(), "invalid argument", refused, 1)
		}, refused},
		{"SEC-8", "root's rights by a setuid program", script(`grep -c '^NoNewPrivs:.1' /proc/self/status`), `"1`},
		{"SEC-8", "mount", call([2]int{165, 40}), refused},
		{"SEC-8", "fsopen", call([2]int{430, 430}), refused},
		{"SEC-8", "bpf", call([2]int{321, 280}), refused},
		{"SEC-8", "perf_event_open", call([2]int{298, 241}), refused},
		{"io_uring", "io_uring_setup", call([2]int{425, 425}, 1), refused},
		{"io_uring", "io_uring_enter", call([2]int{426, 426}), refused},
		{"userfaultfd", "userfaultfd", call([2]int{323, 282}), refused},
		{"ptrace", "seize process 1", call([2]int{101, 117}, unix.PTRACE_SEIZE, 1), refused},
		{"ptrace", "attach to process 1", call([2]int{101, 117}, unix.PTRACE_ATTACH, 1), refused},
		{"ptrace", "write process 1's memory", call([2]int{311, 271}, 1), refused},
		{"ptrace", "take process 1's descriptors", call([2]int{438, 438}), refused},
		{"ptrace", "read process 1's memory", call([2]int{310, 270}, 1), refused},
		{"/proc", "process 1's memory", script(`exec 3<>/proc/1/mem`), "Permission denied"},
		{"/proc", "process 1's variables", script(`cat /proc/1/environ`), "Permission denied"},
		{"/proc", "process 1's root", script(`ls /proc/1/root/`), "Permission denied"},
		{"/proc", "process 1's descriptors", script(`exec 3</proc/1/fd/3`), "Permission denied"},
		{"/proc", "a program for every crash", script(`echo '|/tmp/x' >/proc/sys/kernel/core_pattern`), "denied"},
		{"/proc", "process 1's program", script(`exec 3</proc/1/exe`), "Permission denied"},
		{"/proc", "process 1's folder", script(`ls /proc/1/cwd/`), "Permission denied"},
		{"/proc", "process 1's namespaces", script(`readlink /proc/1/ns/mnt`), "exit status 1"},
		{"/proc", "the machine's memory", script(`cat /proc/kcore`), "exit status 1"},
		{"/proc", "the kernel's log", script(`exec 3</proc/kmsg`), "denied"},
		{"/proc", "the kernel's settings", script(`find /proc/sys -type f -writable ! -name ns_last_pid 2>/dev/null; (($? < 2)) && echo none`), `"none`}, // without find it is 127
		{"/proc", "the machine's devices", script(`ls /sys /dev/mem /dev/loop-control /dev/kmsg /dev/fuse 2>/dev/null; find /dev -type b | wc -l`), `"0`},
		{"/proc", "sysrq", script(`echo b >/proc/sysrq-trigger`), "exit status 1"},
		{"/proc", "the machine's processes", script(`cd /proc; ls -d [0-9]* | wc -l | awk '{print ($1 < 12)}'`), `"1`},
		{"process 1", "kill it", script(`kill -9 1 2>/dev/null; sleep 0.1; echo alive`), "alive"},
	} {
		if got := a.do(); !strings.Contains(got, a.want) {
			t.Errorf("%s, %s: %s", a.id, a.what, got)
		}
	}
	t.Run("SEC-9, connections", func(t *testing.T) {
		// A connection that the lab has accepted has an inode. The bootstrap's own connection counts too.
		want := fmt.Sprintf(`"%d\n`, runtimeapi.MaxConnections)
		if got := shell(fmt.Sprintf(`for i in {1..900}; do exec {fd}<>/dev/tcp/127.0.0.1/9001; done
accepted() { awk '$2 == "0100007F:2329" && $4 == "01" && $10 > 0' /proc/net/tcp | wc -l; }
while (($(accepted) < %d)); do sleep 0.05; done; sleep 0.5; accepted`, runtimeapi.MaxConnections)); !strings.HasPrefix(got, want) {
			t.Errorf("the lab has accepted %s connections, want %s", got, want)
		}
	})
	t.Run("SEC-10, memory", func(t *testing.T) {
		if got := invoke(t, c, "Small", `{"do":"grow","size":300000000}`); got.failure == "" {
			t.Errorf("a function of 128 MB used 300 MB: %+v", got)
		}
		if got := invoke(t, c, "Small", `{}`); got.payload != `{}` {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

// otherABI asks for a user namespace by int 0x80, which only x86_64 has.
var otherABI = func() string {
	if runtime.GOARCH != "amd64" {
		return "echo refused"
	}
	program := "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01\x00\x00\x00\x78\x00\x40\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x38\x00\x01\x00\x00\x00\x00\x00\x00\x00" + // header
		"\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00" +
		"\xa0\x00\x00\x00\x00\x00\x00\x00\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00" + // one segment
		"\xb8\x36\x01\x00\x00\xbb\x00\x00\x00\x10\xcd\x80" + // unshare(CLONE_NEWUSER) by i386's number
		"\xf7\xd8\x89\xc7\xb8\x3c\x00\x00\x00\x0f\x05" // exit with its error
	return "cd /tmp; base64 -d >own <<<" + base64.StdEncoding.EncodeToString([]byte(program)) + "; chmod +x own; ./own; case $? in 0) echo made;; 38|139) echo refused;; *) echo other;; esac"
}()

// attack makes a function do something and returns its answer.
func attack(t *testing.T, l http.Handler, do, path string) string {
	t.Helper()
	event, err := json.Marshal(map[string]string{"do": do, "path": path})
	must(t, err)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/2015-03-31/functions/F/invocations", bytes.NewReader(event))
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w.Body.String()
}

// fromAPage sends two invocations as a web page could, and returns the two statuses.
func fromAPage(t *testing.T, l http.Handler) string {
	t.Helper()
	var got []string
	for _, page := range []func(*http.Request){
		func(r *http.Request) { r.Host = "evil.example" },
		func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/2015-03-31/functions/F/invocations", strings.NewReader("{}"))
		page(r)
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if got = append(got, fmt.Sprint(w.Code)); w.Code == http.StatusOK {
			return "it ran"
		}
	}
	return strings.Join(got, " ")
}

// Programs outside of an environment must not reach what a function listens on.
func TestNobodyOutsideReachesAFunction(t *testing.T) {
	t.Parallel()
	log := &log{}
	c := client(t, openLab(t, logTo(log), function(t, "F", nil)))
	done := make(chan outcome)
	go func() { done <- invoke(t, c, "F", `{"do":"listen","size":1000,"path":"0.0.0.0:19555"}`) }()
	log.await(t, "listening: <nil>")
	if conn, err := net.Dial("tcp", "127.0.0.1:19555"); err == nil {
		conn.Close()
		t.Error("a program outside has reached a function's listener")
	}
	if got := <-done; got.failure != "" {
		t.Errorf("got %+v", got)
	}
}

// No entry of an archive may be written outside its folder, not even through a link.
func TestAttacksByArchives(t *testing.T) {
	t.Parallel()
	type entry struct{ name, link, text string }
	outside := t.TempDir()
	absolute := filepath.Join(outside, "evil")
	for name, entries := range map[string][]entry{
		"dots": {{name: "../evil", text: "x"}}, "dots later": {{name: "a/../../evil", text: "x"}}, "a backslash": {{name: `..\evil`, text: "x"}},
		"absolute": {{name: absolute, text: "x"}}, "through a link": {{name: "door", link: outside}, {name: "door/evil", text: "x"}},
		"through two links": {{name: "a", link: ".."}, {name: "b", link: "a/.."}, {name: "b/evil", text: "x"}},
	} {
		var tarred, zipped bytes.Buffer
		tars, zips := tar.NewWriter(&tarred), zip.NewWriter(&zipped)
		for _, e := range entries {
			header := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
			of := &zip.FileHeader{Name: e.name}
			of.SetMode(0o644)
			if e.link != "" {
				header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
				of.SetMode(fs.ModeSymlink | 0o777)
			}
			must(t, tars.WriteHeader(header))
			io.WriteString(tars, e.text)
			w, err := zips.CreateHeader(of)
			must(t, err)
			io.WriteString(w, e.text+e.link)
		}
		must(t, tars.Close())
		must(t, zips.Close())
		parent := t.TempDir()
		inside, file := filepath.Join(parent, "in"), filepath.Join(t.TempDir(), "f.zip")
		must(t, os.Mkdir(inside, 0o755))
		_ = archive.Untar(&tarred, inside) // like docker, it may write ../evil as evil
		must(t, os.WriteFile(file, zipped.Bytes(), 0o644))
		if err := archive.Unzip(file, inside); err == nil {
			t.Errorf("%s: Unzip returned no error", name)
		}
		for _, dir := range []string{outside, parent} {
			if left, _ := os.ReadDir(dir); len(left) > 1 || dir == outside && len(left) > 0 {
				t.Errorf("%s: outside the folder there are %v", name, left)
			}
		}
	}
}
