package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal of 120 columns.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// On a terminal each layer has a bar, which ends full, and the lines stay readable among them.
func TestATerminalShowsBars(t *testing.T) {
	c := newCommand(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\nCOPY b /\n", "a": strings.Repeat("a", 1e6), "b": "b"})
	ours, theirs := openTerminal(t)
	cmd := exec.Command(os.Args[0], "build", "--tag", "app", "--build-arg", "A=1", ".")
	cmd.Dir, cmd.Env, cmd.Stderr = c.dir, c.env(), theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	shown, _ := io.ReadAll(ours) // ends in EIO once nobody has the other end open
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	for _, want := range []string{
		"cdk-docker: app: build argument A is not used by the Dockerfile", "COPY a /", "1.0 MB of 1.0 MB", "COPY b /", "cdk-docker: app: built for linux/",
	} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("the terminal does not show %q:\n%s", want, shown)
		}
	}
}
