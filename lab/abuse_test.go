package lab_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/tools/need"
)

// Whatever a handler does to its environment, the next invocation must be answered. Close, which newLab calls at the
// end, must end all processes that the handler left.
func TestAbuse(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 60, "MemorySize": 512}))
	c := client(t, l)
	for _, test := range []struct{ name, script, want string }{
		{"300 children", `for i in {1..300}; do sleep 1000 >/dev/null 2>&1 & done; jobs -p | wc -l`, "300"},
		{"a child that ignores signals", `(trap '' TERM HUP INT; setsid bash -c 'while :; do sleep 1000; done' >/dev/null 2>&1 </dev/null &); echo left`, "left"},
		{"a full /tmp", `head -c 600000000 /dev/zero >/tmp/full; rm -f /tmp/full; echo tidy`, "tidy"},
		{"closed standard streams", `exec >&- 2>&- <&-; exit 3`, "exit status 3"},
	} {
		event, err := json.Marshal(map[string]string{"do": "shell", "path": test.script})
		must(t, err)
		// Without loop devices, files in /tmp may use up the function's memory.
		mayFail := test.name == "a full /tmp" && l.Machine().ColdBy != "loop mount"
		if got := invoke(t, c, "F", string(event)); got.failure != "" && !mayFail || got.failure == "" && !strings.Contains(got.payload, test.want) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if got := invoke(t, c, "F", `{}`); got.payload != `{}` || got.failure != "" {
			t.Errorf("after %s: %+v", test.name, got)
		}
	}
}

// A handler that forks without end must reach the environment's limit of processes, and not the machine's.
func TestForkBomb(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", map[string]any{"Timeout": 3, "MemorySize": 2048})))
	event, err := json.Marshal(map[string]string{"do": "shell", "path": `bomb() { bomb | bomb & }; bomb 2>/tmp/why; sleep 60`})
	must(t, err)
	if got := invoke(t, c, "F", string(event)); got.failure == "" {
		t.Errorf("the invocation did not time out: %+v", got)
	}
	if got := shell(t, c, `grep -m 1 -o 'Resource temporarily unavailable' /tmp/why`); !strings.Contains(got, "unavailable") {
		t.Errorf("no fork was refused: %s", got)
	}
}

// Files in /tmp must not count as the function's memory.
func TestTmpIsBesideTheMemory(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 60}))
	if l.Machine().ColdBy != "loop mount" {
		need.Missing(t, "without loop devices /tmp is memory, and without control groups nothing limits that")
	}
	c := client(t, l)
	if got := shell(t, c, `head -c 200000000 /dev/zero >/tmp/large; stat -c %s /tmp/large; ls -A /tmp; stat -c %a /tmp`); !strings.Contains(got, `"200000000\nlarge\n1777\n`) {
		t.Errorf("200 MB in /tmp: %s", got)
	}
	if got := shell(t, c, `fallocate -l 600M /tmp/more; echo done`); !strings.Contains(got, "No space left") {
		t.Errorf("600 MB more in a /tmp of 512 MB: %s", got)
	}
}

// If the state folder is full, the lab must say so. The first time the room is missing for a package, the second time
// for an environment's /tmp. When there is room again, the lab must go on.
func TestFullStateFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		need.Missing(t, "root, to mount a small file system")
	}
	state := t.TempDir()
	must(t, exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", state).Run())
	t.Cleanup(func() { must(t, exec.Command("umount", state).Run()) })
	l := openLab(t, lab.Options{StateDir: state}, function(t, "F", nil))
	c := client(t, l)
	full := func() string {
		path := filepath.Join(state, "full")
		if out, err := exec.Command("dd", "if=/dev/zero", "of="+path, "bs=4k").CombinedOutput(); err == nil {
			t.Fatalf("the folder is not full: %s", out)
		}
		return path
	}
	refused := func(what string) {
		t.Helper()
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F")})
		if code(err) != "ServiceException" || !strings.Contains(err.Error(), "o space left") { // mkfs writes "No"
			t.Errorf("%s: %v", what, err)
		}
	}
	path := full()
	refused("no room for the package")
	must(t, os.Remove(path))
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` {
		t.Errorf("with room for the package: %+v", got)
	}
	update(t, c, &lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)}})
	path = full()
	update(t, c, &lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)}})
	refused("no room for /tmp")
	must(t, os.Remove(path))
	if got := shell(t, c, `head -c 5000000 /dev/zero >/tmp/x && grep -o " /tmp .* ext4" /proc/self/mountinfo`); !strings.Contains(got, "/tmp") && l.Machine().ColdBy == "loop mount" {
		t.Errorf("with room for /tmp: %s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "mnt", "disk-*")); len(left) > 0 {
		t.Errorf("disks of ended environments are left: %v", left)
	}
}
