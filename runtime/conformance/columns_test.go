package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// column is a bootstrap with an isolation and a package.
type column struct {
	bootstrap
	isolation string
	minimal   bool // in image-minimal; else on the base, where zip and image have the same files and the same Bash
}

func (c column) String() string {
	name := strings.TrimSuffix(c.name+"/"+c.isolation, "/")
	if c.minimal {
		return string(arm.ImageMinimal) + "/" + name
	}
	return name
}

// outcome looks a column up in differs. The key can be package, bootstrap and isolation; package alone; bootstrap
// and isolation; or bootstrap.
func (c column) outcome(differs map[string]string) (string, bool) {
	names := []string{c.String(), c.name}
	if c.minimal {
		names = []string{c.String(), string(arm.ImageMinimal), column{c.bootstrap, c.isolation, false}.String(), c.name}
	}
	for _, name := range names {
		if outcome, named := differs[name]; named {
			return outcome, true
		}
	}
	return "", false
}

// columns returns all columns. A bootstrap that runs a process per event has the isolation "" only, unless all are
// asked for.
func columns(all bool) (list []column) {
	for _, b := range bootstraps {
		rows := isolations
		if !all && b.name != "rawsyscall" && !strings.HasPrefix(b.name, "bashtcp") {
			rows = []string{""}
		}
		for _, isolation := range rows {
			list = append(list, b.places(isolation)...)
		}
	}
	return list
}

// places returns the packages of a bootstrap. zip and image count as one, because they have the same files and the
// same Bash. The product refuses bashcurl in image-minimal: see TestRefusedPackages.
func (b bootstrap) places(isolation string) []column {
	list := []column{{b, isolation, false}}
	if !testing.Short() && b.name != "bashcurl" {
		list = append(list, column{b, isolation, true})
	}
	return list
}

// run runs a scenario in this column.
func (c column) run(t *testing.T, s scenario, within time.Duration) *outcome {
	t.Helper()
	argv, root := c.command(t)
	if c.isolation != "" {
		s.env = append([]string{"TWINSTART_ISOLATION=" + c.isolation}, s.env...)
	}
	if s.chroot = root; root != "" {
		s.env = append([]string{"PATH=" + os.Getenv("PATH") + ":" + broughtAlong}, append(slices.Clone(minimalEnv), s.env...)...)
	}
	return s.run(t, argv, within)
}

// command returns the command that starts a bootstrap, and its root folder; "" is the machine's root.
func (c column) command(t *testing.T) (argv []string, root string) {
	t.Helper()
	if !c.minimal {
		return c.argv(t), ""
	}
	return []string{"/var/task/bootstrap"}, minimalRoot(t, c.name, "")
}

// minimalEnv is the environment that the image's Dockerfile sets.
var minimalEnv = []string{"LC_CTYPE=C"}

// broughtAlong is a folder in image-minimal with the few programs that handlers of the tables call. A package may
// bring such programs.
const broughtAlong = "/programs"

// TestRefusedPackages checks the reason for which bashcurl is refused in image-minimal.
func TestRefusedPackages(t *testing.T) {
	builds.Lock()
	defer builds.Unlock()
	builds.Dir = built
	_, err := builds.ImageContext(t.Context(), arm.ImageMinimal, "bashcurl", here, "../../handlers/echo")
	if err == nil || !strings.Contains(err.Error(), "needs curl") {
		t.Errorf("got %v, want an error about the missing curl", err)
	}
}
