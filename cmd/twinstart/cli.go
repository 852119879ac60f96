package main

import (
	"cmp"
	"embed"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/muesli/roff"
	"gopkg.in/yaml.v3"
)

// cli is the whole command line, with a field for each subcommand. Most of their types have a file of the same name.
type cli struct {
	Run        runCommand                `cmd:""`
	Load       loadCommand               `cmd:""`
	Report     reportCommand             `cmd:""`
	Compare    compareCommand            `cmd:""`
	Plan       planCommand               `cmd:""`
	Import     importCommand             `cmd:""`
	Logs       logsCommand               `cmd:""`
	Invoke     invokeCommand             `cmd:""`
	Lab        labCommand                `cmd:""`
	Predict    predictCommand            `cmd:""`
	Package    packageCommand            `cmd:""`
	Explain    explainCommand            `cmd:""`
	Calibrate  calibrateCommand          `cmd:""`
	Tune       tuneCommand               `cmd:""`
	Preview    previewCommand            `cmd:""`
	Doctor     doctorCommand             `cmd:""`
	Completion kongcompletion.Completion `cmd:""`
	Man        manCommand                `cmd:""`
	Version    kong.VersionFlag          `short:"v" help:"Print the version."`
}

// help holds the texts of --help: flags.yaml describes commands, flags and arguments. Some commands also have a file of
// their own, which is printed above their flags.
//
//go:embed help
var help embed.FS

// describe adds the texts to the commands, their flags and their arguments.
func describe(commands []*kong.Node) error {
	var flags map[string]map[string]string
	text, _ := help.ReadFile("help/flags.yaml")
	err := yaml.Unmarshal(text, &flags)
	for _, c := range commands {
		c.Help = flags["commands"][c.Name]
		text, _ := help.ReadFile("help/" + c.Name + ".txt")
		c.Detail = strings.TrimSuffix(string(text), "\n") + c.Detail
		values := slices.Clone(c.Positional)
		for _, f := range c.Flags {
			values = append(values, f.Value)
		}
		for _, v := range values {
			v.Help = cmp.Or(flags[c.Name][v.Name], flags["all"][v.Name], v.Help)
		}
	}
	return err
}

// starters are the commands for a new user.
const starters = `Start here:
  twinstart predict function.zip                  how long a package takes to start on AWS, before it is deployed
  twinstart run old.zip new.zip --event e.json    which of two packages starts faster, measured on this machine
  twinstart logs --log-group /aws/lambda/f        how a deployed function starts, from its logs
twinstart --help lists the rest.
`

const exitHelp = `Exit status: 0 done; 1 a finding (a broken limit, a function error); 2 wrong input, or ` +
	`something is missing; 3 incomplete (a package or an arm that was asked for has no figures); 130 interrupted.`

// version returns what Go stamped into this binary. module is the module's version: a tag, a name with the commit, or
// "(devel)" for a test or `go run`. commit ends with +dirty if files differed from it; it is "" if unknown.
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

// Run prints the page without the commands' examples, because its library would format them badly.
func (manCommand) Run(k *kong.Kong, std streams) error {
	for _, command := range k.Model.Children {
		command.Detail = ""
	}
	_, err := fmt.Fprint(std.out, mangokong.NewManPage(1, k.Model).Build(page{roff.NewDocument()}))
	return err
}

// page escapes %, because its library takes % for a formatting verb.
type page struct{ *roff.Document }

func (p page) Text(text string) { p.Document.Text(strings.ReplaceAll(text, "%", "%%")) }

func (p page) TextBold(text string) { p.Document.TextBold(strings.ReplaceAll(text, "%", "%%")) }
