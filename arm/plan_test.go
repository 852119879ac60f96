package arm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// room is a top-level folder and the list of rooms that its packages may link.
type room struct {
	name string
	may  []string
}

const module = "github.com/twinstart/twinstart/"

// plan is the floor plan: each room with the rooms that its packages may link. Tests may link more. An entry below
// a room, such as bench/measure/power/step, allows that package alone. The table lists the lowest floor first: a room
// may name only rooms that come before it. docs/architecture.md says what each room is for.
var plan = []room{
	{"arm", nil},
	{"handlers", nil},
	{"runtime", nil},
	{"images", []string{"arm"}},
	{"packages", []string{"arm", "images", "runtime"}},
	{"bench", []string{"arm"}},
	{"lab", []string{"arm", "handlers", "runtime/bashtcp", "runtime/handlerlib", "packages"}},
	{"probe", []string{"arm", "handlers", "runtime/bashtcp", "runtime/handlerlib", "packages", "lab", "bench/show/page", "bench/show/table"}},
	{"infra", []string{"arm", "handlers/geo", "images", "packages", "runtime", "bench/measure/power/step"}},
	{"cmd", []string{"arm", "handlers", "packages", "images", "runtime", "bench", "lab", "probe"}},
	{"tools", []string{"arm", "handlers", "packages", "images", "runtime", "bench", "lab", "probe"}},
}

// limits are rules for single packages: the import paths that they may not link, by prefix, and the reason.
var limits = []struct {
	packages, why string
	forbidden     []string
}{
	{"./runtime/httpwire ./runtime/runtimeapi", "it is in every Go bootstrap, whose pages are read in a cold start",
		[]string{"net", "fmt", "os", "encoding/json"}},
	{"./runtime/perevent", "it is in small bootstraps", []string{"net", "fmt", "os", "encoding/json"}},
	{"./runtime/rawtcp", "it stands for a client without net/http", []string{"net/http", "fmt", "os/exec", "encoding/json"}},
	{"./runtime/rawsyscall", "it is system calls alone", []string{"net"}},
	{"./runtime/nethttp", "aws-lambda-go is another arm", []string{"github.com/aws"}},
	{"./runtime/lambdago", "RPC is left out by its build tag", []string{"net/rpc"}},
	{"./infra", "a deployment waits until the app is compiled", []string{"github.com/aws/aws-sdk-go-v2", "gonum.org/", module + "lab"}},
	{"./bench/... ./lab/... ./probe/... ./cmd/twinstart", "programs that measure do not need the CDK",
		[]string{"github.com/aws/aws-cdk-go/", "github.com/aws/constructs-go/", "github.com/aws/jsii-runtime-go"}},
	{"./cmd/tunestep", "the state machine's function is small", []string{module + "lab", module + "packages", "github.com/aws/aws-cdk-go/"}},
}

// TestFloorPlan checks everything that each room links, so it also finds a forbidden import through a third room.
func TestFloorPlan(t *testing.T) {
	for i, p := range plan {
		for _, m := range p.may {
			if below, _, _ := strings.Cut(m, "/"); !slices.ContainsFunc(plan[:i], func(q room) bool { return q.name == below }) {
				t.Errorf("%s may link %s, which does not come before it in the plan", p.name, m)
			}
		}
		graph := imports(t, "./"+p.name+"/...")
		for path := range graph {
			if name, ours := roomOf(path); !ours || name != p.name {
				continue
			}
			if chain := chain(graph, path, func(to string) bool {
				name, ours := roomOf(to)
				return ours && name != p.name && !slices.ContainsFunc(p.may, func(m string) bool {
					return m == name || to == module+m
				})
			}); chain != nil {
				t.Errorf("%s may not link %s:\n\t%s", p.name, chain[len(chain)-1], strings.Join(chain, "\n\timports "))
			}
		}
	}
}

// TestEachFolderIsARoom fails when a new top-level folder is not in the plan.
func TestEachFolderIsARoom(t *testing.T) {
	for path := range imports(t, "./...") {
		if name, ours := roomOf(path); ours && !slices.ContainsFunc(plan, func(r room) bool { return r.name == name }) {
			t.Errorf("%s is in no room of the plan", path)
		}
	}
}

// TestEachPackageIsListed checks that docs/architecture.md names each package in the paragraph of its room, and that each
// name there is a folder of the room, another room's package, or one of Go's.
func TestEachPackageIsListed(t *testing.T) {
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for path := range imports(t, "./...") {
		name, ours := roomOf(path)
		if !ours {
			continue
		}
		_, of, found := strings.Cut(string(text), "\n**["+name+"](../"+name+")**")
		of, _, _ = strings.Cut(of, "\n**[")
		below := strings.TrimPrefix(path, module+name)
		if last := below[strings.LastIndex(below, "/")+1:]; !found || last != "" && !strings.Contains(of, last+"`") {
			t.Errorf("docs/architecture.md does not list %s", strings.TrimPrefix(path, module))
		}
	}
	rooms, _, _ := strings.Cut(string(text), "\n## Arms")
	for _, r := range plan {
		_, of, _ := strings.Cut(rooms, "\n**["+r.name+"]")
		of, _, _ = strings.Cut(of, "\n**[")
		names := []string{"slices", "net"}
		err := filepath.WalkDir("../"+r.name, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(of, -1) {
			name := strings.Trim(quoted, "`")
			_, err := os.Stat("../" + name)
			if err != nil && !slices.ContainsFunc(names, func(n string) bool { return n == name || strings.HasSuffix(n, "/"+name) }) {
				t.Errorf("docs/architecture.md lists %s in %s, which has no such folder", name, r.name)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	for _, l := range limits {
		graph := imports(t, strings.Fields(l.packages)...)
		for path := range graph {
			if _, ours := roomOf(path); !ours {
				continue
			}
			if chain := chain(graph, path, func(to string) bool {
				return slices.ContainsFunc(l.forbidden, func(f string) bool {
					return to == f || strings.HasPrefix(to, strings.TrimSuffix(f, "/")+"/") && (strings.Contains(f, ".") || f == "net")
				})
			}); chain != nil {
				t.Errorf("%s: %s:\n\t%s", l.packages, l.why, strings.Join(chain, "\n\timports "))
			}
		}
	}
}

// TestBootstrapsLinkOnlyTheStandardLibrary also allows what bootstraps share below runtime/. lambdago may link
// aws-lambda-go, which it stands for.
func TestBootstrapsLinkOnlyTheStandardLibrary(t *testing.T) {
	for _, name := range []string{"nethttp", "rawtcp", "lambdago", "rawsyscall"} {
		from := module + "runtime/" + name
		if chain := chain(imports(t, "./runtime/"+name), from, func(to string) bool {
			first, _, _ := strings.Cut(to, "/") // paths of the standard library have no dot in their first element
			return strings.Contains(first, ".") && !strings.HasPrefix(to, module+"runtime/") &&
				(name != "lambdago" || !strings.HasPrefix(to, "github.com/aws/aws-lambda-go/"))
		}); chain != nil {
			t.Errorf("%s links %s:\n\t%s", name, chain[len(chain)-1], strings.Join(chain, "\n\timports "))
		}
	}
}

// TestChainIsFound shows that the rules can fail: it looks for aws-lambda-go and expects the chain of imports to
// it.
func TestChainIsFound(t *testing.T) {
	from := module + "runtime/lambdago"
	got := chain(imports(t, "./runtime/lambdago"), from, func(to string) bool { return strings.HasPrefix(to, "github.com/aws/aws-lambda-go/") })
	if len(got) < 2 || got[0] != from {
		t.Errorf("chain %v, want one from %s to aws-lambda-go", got, from)
	}
}

// roomOf returns the top-level folder of an import path, and whether the path is in this module.
func roomOf(path string) (name string, ours bool) {
	below, ours := strings.CutPrefix(path, module)
	name, _, _ = strings.Cut(below, "/")
	return name, ours
}

// imports returns the imports of each package that the patterns link, for Linux without cgo.
func imports(t *testing.T, patterns ...string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-tags=lambda.norpc", "-json=ImportPath,Imports"}, patterns...)...)
	cmd.Dir = ".."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing %v: %v", patterns, err)
	}
	graph := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatal(err)
		}
		graph[p.ImportPath] = p.Imports
	}
}

// chain returns the shortest chain of imports from a package to a forbidden one, or nil if there is none.
func chain(graph map[string][]string, from string, forbidden func(string) bool) []string {
	seen := map[string]bool{from: true}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		last := way[len(way)-1]
		if last != from && forbidden(last) {
			return way
		}
		for _, next := range graph[last] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}
