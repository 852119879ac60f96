// Command twinstart measures how the arms of an experiment start and run, in the lab or on AWS, and says which one
// wins.
package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/muesli/roff"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/packages/archive"
)

// Exit statuses distinguish a wrong call from a bad result. exitHelp explains them to users.
const (
	exitOK          = 0
	exitFinding     = 1 // the command did its work and what it found is bad: a function error, a broken limit
	exitUsage       = 2 // the command could not do its work: bad input, nothing to measure, a missing tool
	exitIncomplete  = 3 // it did a part of it: a package or an arm that was asked for has no figures
	exitInterrupted = 130
)

const exitHelp = `Exit status: 0 done; 1 a finding (a broken limit, a function error); 2 a mistake of yours, or something is missing; ` +
	`3 incomplete (a package or an arm that was asked for has no figures); 130 interrupted.`

// starters are the commands for a new user.
const starters = `Start here:
  twinstart predict function.zip                  what AWS takes for a package, before it is deployed
  twinstart run old.zip new.zip --event e.json    which of two starts faster, measured on this machine
  twinstart logs --log-group /aws/lambda/f        how a function that runs already starts
twinstart --help lists the rest.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// cli is the whole command line: one field a subcommand, each in a file of its own.
type cli struct {
	Run        runCommand                `cmd:"" help:"Measure cold starts and warm invocations, then report."`
	Load       loadCommand               `cmd:"" help:"Put functions under load, closed or open, then report what callers waited for."`
	Report     reportCommand             `cmd:"" help:"Render records of an earlier run."`
	Compare    compareCommand            `cmd:"" help:"Compare a run with an earlier one; guard cold starts in CI."`
	Plan       planCommand               `cmd:"" help:"Say how many cold starts are needed, and what they cost and take."`
	Import     importCommand             `cmd:"" help:"Turn CloudWatch logs and published figures into records."`
	Logs       logsCommand               `cmd:"" help:"Report on functions that run already, from their logs."`
	Invoke     invokeCommand             `cmd:"" help:"Invoke one arm once and print its response and its log."`
	Lab        labCommand                `cmd:"" help:"Serve Lambda's API on loopback for the functions of an assembly."`
	Predict    predictCommand            `cmd:"" help:"Predict what AWS takes for a package, before it is deployed."`
	Package    packageCommand            `cmd:"" help:"Make the ZIP of a function with a handler in Bash, or a layer with a bootstrap."`
	Explain    explainCommand            `cmd:"" help:"Say what a package reads at a cold start, and on whose account."`
	Calibrate  calibrateCommand          `cmd:"" help:"Make a model of one's own AWS run and lab run."`
	Tune       tuneCommand               `cmd:"" help:"Find the memory size at which a function is cheapest or fastest; the input of AWS Lambda Power Tuning."`
	Preview    previewCommand            `cmd:"" help:"Say what make deploy would create, and what that costs idle and by the run."`
	Doctor     doctorCommand             `cmd:"" help:"Say what is missing here, for the lab and for AWS, and how to get it."`
	Completion kongcompletion.Completion `cmd:"" help:"Print what makes a shell complete commands and flags."`
	Man        manCommand                `cmd:"" help:"Print the manual page: twinstart man | man -l -"`
	Version    versionCommand            `cmd:"" help:"Print the version."`
	V          kong.VersionFlag          `name:"version" short:"v" help:"Print the version."`
}

// help has a text for each command that needs one, below its flags.
//
//go:embed help
var help embed.FS

// describe adds the texts to the commands.
func describe(commands []*kong.Node) {
	for _, c := range commands {
		text, _ := help.ReadFile("help/" + c.Name + ".txt")
		c.Detail = strings.TrimSuffix(string(text), "\n") + c.Detail
	}
}

// versionCommand prints the version.
type versionCommand struct{}

// Run prints.
func (versionCommand) Run(io streams) error {
	module, commit := version()
	_, err := fmt.Fprintln(io.out, strings.TrimSpace(module+" "+commit))
	return err
}

// streams are the outputs of a subcommand: results go to out, everything else to err.
type streams struct{ out, err io.Writer }

// write writes a file as a whole, or to standard output where none is named.
func (s streams) write(file string, write func(io.Writer) error) error {
	if file == "" || file == "-" {
		return write(s.out)
	}
	return archive.Replace(file, 0o644, write)
}

func (s streams) warn(warnings ...string) {
	for _, warning := range warnings {
		fmt.Fprintln(s.err, "warning:", warning)
	}
}

// errFinding makes the exit status 1: the command worked, and its bad result was printed already.
var errFinding = errors.New("finding")

// errIncomplete makes the exit status 3: a part was done and printed. The error that wraps it says what is missing.
var errIncomplete = errors.New("incomplete")

// run is the command without the process: it returns the exit status and writes to stdout and stderr only.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	module, _ := version()
	parser, err := kong.New(&cli{},
		kong.Name("twinstart"),
		kong.Description("Which way of building, packaging and sizing a Lambda function starts fastest, by how much, and how surely.\n\n"+exitHelp),
		kong.Writers(stdout, stderr),
		kong.ExplicitGroups([]kong.Group{{Key: "what", Title: "What is measured:"}, {Key: "many", Title: "How many:"}, {Key: "where", Title: "Where:"},
			{Key: "lab", Title: "The lab:"}, {Key: "output", Title: "Output:"}}),
		kong.Vars{"version": module},
		kong.Exit(func(code int) { panic(exited(code)) }),
	)
	if err != nil {
		panic(err) // a mistake in the struct tags above, which every test would show
	}
	describe(parser.Model.Children)
	defer func() { // kong calls Exit after --help and --version
		switch left := recover().(type) {
		case nil:
		case exited:
			status = int(left)
		default:
			panic(left)
		}
	}()
	kongcompletion.Register(parser) // if a shell asks for completions, it answers and exits
	if len(args) == 0 || slices.Equal(args, []string{"help"}) {
		fmt.Fprint(stdout, starters)
		return exitOK
	}
	command, err := parser.Parse(args)
	if err != nil {
		return fail(stderr, fmt.Errorf("%w (twinstart --help lists commands and flags)", err))
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(streams{stdout, stderr})
	switch {
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

type exited int

func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "twinstart:", account.Explain(err))
	return exitUsage
}

// version returns what Go stamped into this binary: the module's version, which is a tag or names the commit, or
// "(devel)" for a test or `go run`; and the commit, with +dirty if files differed from it, or "" if unknown.
func version() (module, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)", ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit = settings["vcs.revision"]; commit != "" && settings["vcs.modified"] == "true" {
		commit += "+dirty"
	}
	return cmp.Or(info.Main.Version, "(devel)"), commit
}

// manCommand prints the manual page.
type manCommand struct{}

// Run prints the page without the commands' examples, which it would format badly.
func (manCommand) Run(k *kong.Kong, io streams) error {
	for _, command := range k.Model.Children {
		command.Detail = ""
	}
	_, err := fmt.Fprint(io.out, mangokong.NewManPage(1, k.Model).Build(page{roff.NewDocument()}))
	return err
}

// page escapes %, which its library takes for a formatting verb.
type page struct{ *roff.Document }

func (p page) Text(text string) { p.Document.Text(strings.ReplaceAll(text, "%", "%%")) }

func (p page) TextBold(text string) { p.Document.TextBold(strings.ReplaceAll(text, "%", "%%")) }
