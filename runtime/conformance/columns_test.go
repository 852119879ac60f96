package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// column is a bootstrap with an isolation in a package.
type column struct {
	bootstrap
	isolation string
	minimal   bool // in image-minimal; else on the base, in zip and image alike: both have the same files and the same Bash
}

func (c column) String() string {
	name := strings.TrimSuffix(c.name+"/"+c.isolation, "/")
	if c.minimal {
		return string(arm.ImageMinimal) + "/" + name
	}
	return name
}

// outcome finds what differs here: by package, bootstrap and isolation, by package alone, by bootstrap and isolation, or by bootstrap.
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

// columns are all that there is, each with its isolations: "" alone where there is a process per event in any case, unless all are asked for.
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

// places are the packages that there are of a bootstrap: zip and image have the same files and the same Bash. The product refuses bashcurl in
// image-minimal: see TestRefusedPackages.
func (b bootstrap) places(isolation string) []column {
	list := []column{{b, isolation, false}}
	if !testing.Short() && b.name != "bashcurl" {
		list = append(list, column{b, isolation, true})
	}
	return list
}

// run is a scenario's in this column.
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

// command is what starts a bootstrap, and the root that it sees: "" is the machine's own.
func (c column) command(t *testing.T) (argv []string, root string) {
	t.Helper()
	if !c.minimal {
		return c.argv(t), ""
	}
	return []string{"/var/task/bootstrap"}, minimalRoot(t, c.name, "")
}

// minimalEnv is what the image's Dockerfile sets.
var minimalEnv = []string{"LC_CTYPE=C"}

// broughtAlong is a folder of image-minimal with the few programs that handlers of the tables call, as a package may bring them along.
const broughtAlong = "/programs"

// TestRefusedPackages holds the reason that who wants bashcurl in image-minimal is given.
func TestRefusedPackages(t *testing.T) {
	builds.Lock()
	defer builds.Unlock()
	builds.Dir = built
	_, err := builds.ImageContext(t.Context(), arm.ImageMinimal, "bashcurl", here, "../../handlers/echo")
	if err == nil || !strings.Contains(err.Error(), "needs curl") {
		t.Errorf("got %v, want that there is no curl", err)
	}
}
