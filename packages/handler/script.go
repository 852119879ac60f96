package handler

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// script holds the facts about a handler's file that are known without running it.
type script struct {
	functions []string // functions that sourcing the file defines, sorted
	open      bool     // the file sources or evaluates something that may define more functions

	substitutes string // place of the first <(...) or >(...); "" if there is none
	lacks       string // place and name of the first builtin that the static Bash lacks; "" if there is none
}

// lacking lists the builtins of Bash that the static Bash leaves out.
var lacking = []string{"bind", "compgen", "complete", "compopt", "fc", "help", "history"}

// opening lists the commands that can define functions that the file does not show.
var opening = []string{"source", ".", "eval", "builtin", "command"}

// readScript parses a Bash file. A syntax error has its place: file:line:column.
func readScript(path string) (script, error) {
	in, err := os.Open(path)
	if err != nil {
		return script{}, fmt.Errorf("reading the script: %w", err)
	}
	defer in.Close()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(in, path)
	if err != nil {
		return script{}, fmt.Errorf("reading Bash: %w: correct the script", err)
	}
	var s script
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.ProcSubst:
			s.substitutes = cmp.Or(s.substitutes, fmt.Sprintf("%s:%s", path, node.Pos()))
		case *syntax.CallExpr:
			if len(node.Args) > 0 && slices.Contains(lacking, node.Args[0].Lit()) {
				s.lacks = cmp.Or(s.lacks, fmt.Sprintf("%s:%s: %s", path, node.Pos(), node.Args[0].Lit()))
			}
		}
		return true
	})
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.FuncDecl:
			s.functions = append(s.functions, node.Name.Value)
			return false // functions in its body exist only after it was called
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst:
			return false // functions of a subshell end with it
		case *syntax.CallExpr:
			// A call of one of the file's own functions could define functions, too, but in practice nobody defines a
			// handler that way without eval.
			s.open = s.open || len(node.Args) > 0 && slices.Contains(opening, node.Args[0].Lit())
		}
		return true
	})
	slices.Sort(s.functions)
	s.functions = slices.Compact(s.functions)
	return s, nil
}

// checkBash refuses scripts that this package's parser accepts but Bash does not.
func checkBash(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the script: %w", err)
	}
	if i := bytes.Index(text, []byte("\r\n")); i >= 0 {
		return fmt.Errorf("%s:%d: the line ends with CR LF, and Bash takes the CR for a part of the line: "+
			"save the file with LF line ends (dos2unix %s)", path, 1+bytes.Count(text[:i], []byte("\n")), path)
	}
	bash := baseBash()
	if bash == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// With -n nothing is run, not even shopt -s extglob. So extglob is always on, and its patterns are accepted
	// everywhere.
	cmd := exec.CommandContext(ctx, bash, "--norc", "--noprofile", "-O", "extglob", "-n", "--", path)
	cmd.Env = []string{"LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("bash -n: %s: correct the script", said)
	}
	return nil // otherwise Bash could not be started, so nothing is known about the script
}

// baseVersion is the version of Bash in provided.al2023.
const baseVersion = "5.2"

// baseBash returns a Bash of the base's version, or "" if this machine has none.
var baseBash = sync.OnceValue(func() string {
	path, err := exec.LookPath("bash")
	if err != nil {
		return ""
	}
	cmd := exec.Command(path, "--norc", "--noprofile", "-c", `printf %s "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"`)
	cmd.Env = []string{}
	if version, err := cmd.Output(); err != nil || string(version) != baseVersion {
		return ""
	}
	return path
})
