package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
	"mvdan.cc/sh/v3/syntax"
)

// workflow is the part of a workflow, or of an action, that runs commands.
type workflow struct {
	On   map[string]any
	Jobs map[string]struct {
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Permissions    map[string]string
		Steps          []step
	}
	Permissions map[string]string
	Runs        struct{ Steps []step }
	Inputs      map[string]struct{ Default string } // the inputs of an action
}

type step struct {
	Run, Uses string
	Env       map[string]string
}

func readWorkflow(t *testing.T, path string) workflow {
	t.Helper()
	var w workflow
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, &w)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return w
}

func (w workflow) steps() []step {
	all := slices.Clone(w.Runs.Steps)
	for _, job := range w.Jobs {
		all = append(all, job.Steps...)
	}
	return all
}

// Everything that workflows call in this repository must exist: targets of make and their variables, steps of .ci/run,
// scripts, commands and flags.
func TestWorkflowsCallWhatExists(t *testing.T) {
	repository := filepath.Join("..", "..")
	var files []string
	for _, pattern := range []string{".github/workflows/*.yml", "action.yml", "examples/tuner/tuning.yml"} {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]int{}
	for _, file := range files {
		for _, s := range readWorkflow(t, file).steps() {
			for _, words := range commandsOf(t, s.Run) {
				kind, err := checkCommand(repository, string(makefile), words)
				if err != nil {
					t.Errorf("%s: %q: %v", filepath.Base(file), words, err)
				}
				checked[kind]++
			}
		}
	}
	for _, kind := range []string{"make", ".ci/run", ".ci/notes", "twinstart"} {
		if checked[kind] == 0 {
			t.Errorf("no call of %s was seen: %v", kind, checked)
		}
	}
	var container struct{ PostCreateCommand string }
	text, err := os.ReadFile(filepath.Join(repository, ".devcontainer", "devcontainer.json"))
	if err == nil {
		err = json.Unmarshal(text, &container)
	}
	if err == nil {
		_, err = checkCommand(repository, string(makefile), strings.Fields(container.PostCreateCommand))
	}
	if err != nil || container.PostCreateCommand == "" {
		t.Errorf("the container calls %q: %v", container.PostCreateCommand, err)
	}
	for _, broken := range [][]string{{"make", "no-such"}, {"make", "verdict", "NO_SUCH=1"}, {".ci/run", "no-such"}, {".ci/gone"}, {"bin/twinstart", "tune", "--no-such"}} {
		if _, err := checkCommand(repository, string(makefile), broken); err == nil {
			t.Errorf("%q is taken", broken)
		}
	}
}

// commandsOf returns the commands of a script as lists of words. x replaces what is known only when the script runs.
func commandsOf(t *testing.T, script string) (commands [][]string) {
	t.Helper()
	script = regexp.MustCompile(`\$\{\{.*?\}\}`).ReplaceAllString(script, "cross") // an expression of GitHub
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		t.Fatalf("%v:\n%s", err, script)
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		var words []string
		for _, word := range call.Args {
			var text strings.Builder
			for _, part := range word.Parts {
				switch part := part.(type) {
				case *syntax.Lit:
					text.WriteString(part.Value)
				case *syntax.SglQuoted:
					text.WriteString(part.Value)
				case *syntax.DblQuoted:
					var inner bytes.Buffer
					for _, p := range part.Parts {
						if lit, ok := p.(*syntax.Lit); ok {
							inner.WriteString(lit.Value)
						} else {
							inner.WriteString("x")
						}
					}
					text.Write(inner.Bytes())
				default:
					text.WriteString("x")
				}
			}
			words = append(words, text.String())
		}
		commands = append(commands, words)
		return true
	})
	return commands
}

// checkCommand checks that the program that a command calls exists, also after sudo or env.
func checkCommand(repository, makefile string, words []string) (kind string, err error) {
	for i, word := range words {
		rest := words[i+1:]
		switch name := filepath.Base(word); {
		case word == "make":
			for _, arg := range rest {
				if variable, _, is := strings.Cut(arg, "="); is && !strings.Contains(makefile, "$("+variable+")") {
					return "make", fmt.Errorf("the Makefile knows no %s", variable)
				} else if !is && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(arg)+`:.*##`).MatchString(makefile) {
					return "make", fmt.Errorf("there is no target %s", arg)
				}
			}
			return "make", nil
		case word == ".ci/run":
			_, err := checkCommand(repository, makefile, append([]string{"make"}, rest...))
			return word, err
		case strings.HasPrefix(word, ".ci/"):
			_, err := os.Stat(filepath.Join(repository, word))
			return word, err
		case name == "twinstart" && len(rest) > 0 && rest[0] != "x":
			parser, err := kong.New(&cli{}, kong.Vars{"version": ""}, kong.Exit(func(int) {}))
			if err == nil {
				_, err = parser.Parse(rest)
			}
			return name, err
		}
	}
	return "", nil
}

// The workflow that uses an account starts by hand only, has no token but the job's, and has a time-out.
func TestAWSWorkflow(t *testing.T) {
	w := readWorkflow(t, filepath.Join("..", "..", ".github", "workflows", "aws.yml"))
	if len(w.On) != 1 || w.On["workflow_dispatch"] == nil {
		t.Errorf("it runs on %v, want by hand alone", w.On)
	}
	if w.Permissions["id-token"] != "write" || w.Permissions["contents"] != "read" || len(w.Permissions) != 2 {
		t.Errorf("permissions %v", w.Permissions)
	}
	text := ""
	for _, job := range w.Jobs {
		if job.TimeoutMinutes == 0 || len(job.Permissions) > 0 {
			t.Errorf("time-out %d, permissions %v", job.TimeoutMinutes, job.Permissions)
		}
		for _, s := range job.Steps {
			text += s.Run + "\n"
			if s.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(s.Uses) {
				t.Errorf("%s is not pinned", s.Uses)
			}
		}
	}
	for _, want := range []string{"make first-hour", "make verdict", "LIMIT=1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
