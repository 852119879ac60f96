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

// Whatever a handler does to its environment, the next invocation must be answered, and Close (in newLab's
// clean-up) must end all that it left.
func TestAbuse(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", map[string]any{"Timeout": 60, "MemorySize": 512})))
	for _, test := range []struct{ name, script, want string }{
		{"children", `for i in {1..300}; do sleep 1000 >/dev/null 2>&1 & done; jobs -p | wc -l`, "300"},
		{"deaf", `(trap '' TERM HUP INT; setsid bash -c 'while :; do sleep 1000; done' >/dev/null 2>&1 </dev/null &); echo left`, "left"},
		{"full /tmp", `head -c 600000000 /dev/zero >/tmp/full; rm -f /tmp/full; echo tidy`, "tidy"},
		{"no output", `exec >&- 2>&- <&-; exit 3`, "exit status 3"},
	} {
		event, err := json.Marshal(map[string]string{"do": "shell", "path": test.script})
		must(t, err)
		if got := invoke(t, c, "F", string(event)); got.failure == "" && !strings.Contains(got.payload, test.want) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if got := invoke(t, c, "F", `{}`); got.payload != `{}` || got.failure != "" {
			t.Errorf("after %s: %+v", test.name, got)
		}
	}
}

// A handler that forks without end must reach the limit of processes, and not the limits of the machine.
func TestForkBomb(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", map[string]any{"Timeout": 3, "MemorySize": 2048})))
	event, err := json.Marshal(map[string]string{"do": "shell", "path": `bomb() { bomb | bomb & }; bomb; sleep 60`})
	must(t, err)
	if got := invoke(t, c, "F", string(event)); got.failure == "" {
		t.Errorf("%+v", got)
	}
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` || got.failure != "" {
		t.Errorf("afterwards: %+v", got)
	}
}

// Files in /tmp take no memory of the function's.
func TestTmpIsBesideTheMemory(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 60}))
	if l.Machine().ColdBy != "loop mount" {
		need.Missing(t, "without loop devices /tmp is memory, and without control groups nothing limits that")
	}
	c := client(t, l)
	if got := shell(t, c, `head -c 200000000 /dev/zero >/tmp/large; stat -c %s /tmp/large; ls -A /tmp; stat -c %a /tmp`); !strings.Contains(got, `"200000000\nlarge\n1777\n`) {
		t.Errorf("got %s", got)
	}
	if got := shell(t, c, `fallocate -l 600M /tmp/more; echo done`); !strings.Contains(got, "No space left") {
		t.Errorf("got %s", got)
	}
}

// A lab whose state folder is full must say so, and go on once there is room: for a package, and for an environment's
// /tmp.
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
			t.Fatalf("it is not full: %s", out)
		}
		return path
	}
	refused := func(what string) {
		t.Helper()
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F")})
		if code(err) != "ServiceException" || !strings.Contains(err.Error(), "o space left") { // mkfs says it with N
			t.Errorf("%s: %v", what, err)
		}
	}
	path := full()
	refused("the package")
	must(t, os.Remove(path))
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` {
		t.Errorf("with room: %+v", got)
	}
	update(t, c, &lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)}})
	path = full()
	update(t, c, &lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)}})
	refused("/tmp")
	must(t, os.Remove(path))
	if got := shell(t, c, `head -c 5000000 /dev/zero >/tmp/x && grep -o " /tmp .* ext4" /proc/self/mountinfo`); !strings.Contains(got, "/tmp") && l.Machine().ColdBy == "loop mount" {
		t.Errorf("with room for /tmp: %s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "mnt", "disk-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
