// Command twinstart measures how the arms of an experiment start and run, in the lab or on AWS, and says which one
// wins.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/packages/archive"
)

// Exit statuses distinguish a wrong call from a bad result. exitHelp explains them to users.
const (
	exitOK          = 0
	exitFinding     = 1 // the command worked, and its result is bad: a function error, a broken limit
	exitUsage       = 2 // the command could not work: bad input, nothing to measure, a missing tool
	exitIncomplete  = 3 // it did a part of its work: a package or an arm that was asked for has no figures
	exitInterrupted = 130
)

func main() {
	hangUp := slices.DeleteFunc([]os.Signal{syscall.SIGHUP}, signal.Ignored) // nohup ignores it, so the command goes on
	ctx, stop := signal.NotifyContext(context.Background(), append(hangUp, os.Interrupt, syscall.SIGTERM)...)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// streams are the outputs of a subcommand: results go to out, everything else to err.
type streams struct{ out, err io.Writer }

// write writes a file as a whole, or to standard output if no file is named.
func (s streams) write(file string, write func(io.Writer) error) error {
	if file == "" || file == "-" {
		return write(s.out)
	}
	return archive.Replace(file, 0o644, write)
}

// output keeps the first error of writing: a command whose result is lost must not end with status 0.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (n int, err error) {
	n, err = o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

func (s streams) warn(warnings ...string) {
	for _, warning := range warnings {
		fmt.Fprintln(s.err, "warning:", list.OneLine(warning))
	}
}

// errFinding makes the exit status 1: the command worked, and its bad result was printed already.
var errFinding = errors.New("finding")

// errIncomplete makes the exit status 3: a part was done and printed. The error that wraps it says what is missing.
var errIncomplete = errors.New("incomplete")

// run runs a command line and returns the exit status. It writes to stdout and stderr only.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	module, commit := version()
	parser, err := kong.New(&cli{},
		kong.Name("twinstart"),
		kong.Description("Measures which way of building, packaging and sizing a Lambda function starts fastest, by how "+
			"much, and how sure that is.\n\n"+exitHelp),
		kong.Writers(stdout, stderr),
		kong.ExplicitGroups([]kong.Group{{Key: "what", Title: "What is measured:"}, {Key: "many", Title: "How many:"},
			{Key: "where", Title: "Where:"}, {Key: "lab", Title: "The lab:"}, {Key: "output", Title: "Output:"}}),
		kong.Vars{"version": strings.TrimSpace(module + " " + commit)},
		kong.Exit(func(code int) { panic(code) }),
	)
	if err == nil {
		err = describe(parser.Model.Children)
	}
	if err != nil {
		panic(err) // a mistake in a struct tag or in flags.yaml; every test would show it
	}
	defer func() { // kong calls Exit after --help and --version
		if left := recover(); left != nil {
			status = left.(int) // any other panic goes on
		}
	}()
	kongcompletion.Register(parser) // if a shell asks for completions, it answers and exits
	if len(args) == 0 || slices.Equal(args, []string{"help"}) {
		fmt.Fprint(stdout, starters)
		return exitOK
	}
	command, err := parser.Parse(args)
	if err != nil {
		name := "twinstart"
		if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context.Selected() != nil {
			name += " " + p.Context.Selected().Name
		}
		return fail(stderr, fmt.Errorf("%s (see %s --help)", reword(err.Error()), name))
	}
	for _, p := range command.Path {
		if f := p.Flag; f != nil && f.IsSlice() && f.Target.Len() == 0 {
			return fail(stderr, fmt.Errorf("--%s is empty: give it a value, or leave it out", f.Name))
		}
	}
	command.BindTo(ctx, (*context.Context)(nil))
	out := &output{Writer: stdout}
	switch err = cmp.Or(command.Run(streams{out, stderr}), out.err); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFinding):
		return exitFinding
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "twinstart: interrupted:", err)
		return exitInterrupted
	case errors.Is(err, errIncomplete):
		fail(stderr, err)
		return exitIncomplete
	}
	return fail(stderr, err)
}

func fail(stderr io.Writer, err error) int {
	text := strings.NewReplacer(":\n", ": ", "\n", "; ").Replace(account.Explain(err).Error())
	fmt.Fprintln(stderr, "twinstart:", reword(list.OneLine(text)))
	return exitUsage
}

// rewordings replace messages of the parser and of the operating system by plain words that say what to do.
var rewordings = [][2]string{
	{`((?:open|stat|read) [^:]*: (?:no such file or|is a|not a) directory)$`, "$1: name an existing file"},
	{`: expected \S+ value but got "(-[0-9.][^"]*)".*`, " $1 is negative: leave the minus out"},
	{`^(--\S+): (?:expected \S+ value but got|missing value,) .*`, "$1 has no value: write $1=VALUE"},
	{`expected duration but got ("[^"]*").*`, "want a time such as 100ms, 30s or 10m, not $1"},
	{`expected a valid (\d+) bit u?int but got`, "want a whole number of at most $1 bits, not"},
	{`expected a float but got ("[^"]*").*`, "want a number, not $1"},
	{`^expected "(.*)"$`, "missing: $1"},
	{`,""( but got)`, "$1"},
	{`(no space left on device|mkdir [^:]*: not a directory)$`, "$1: make room, or name another folder"},
	{`(unexpected end of JSON input|invalid character .* looking for beginning of value)$`, "$1: correct the JSON"},
}

func reword(text string) string {
	for _, r := range rewordings {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}
