package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// leverBench is what the experiment of levers has in common: one package, of ours or of the user's own.
type leverBench struct {
	*settings
	stack    awscdk.Stack
	e        *experiment.Experiment
	options  awslambda.FunctionOptions
	identity arm.Identity // of the baseline
	code     string       // a ZIP file, or a folder
	runtime  awslambda.Runtime
	layers   map[string]string // logical IDs by name
	table    awsdynamodb.Table // of the lever code
	absent   []arm.NotMeasured
}

// newLeversStack defines a baseline with its null twin, and an arm for each level of each lever. What the update that forces a cold start
// carries is a variant of the baseline's function; the rest are functions of their own.
func newLeversStack(scope constructs.Construct, s settings, builder bashfunction.Builder) (awscdk.Stack, error) {
	l := &leverBench{settings: &s, stack: newBareStack(scope, s, "one change each, against a baseline"), layers: map[string]string{}, absent: []arm.NotMeasured{},
		runtime: awslambda.Runtime_PROVIDED_AL2023()}
	var err error
	if l.e, l.options, err = s.begin(l.stack); err != nil {
		return nil, err
	}
	l.options.MemorySize, l.options.LoggingFormat = jsii.Number(s.MemorySizes[0]), awslambda.LoggingFormat_JSON // from which figures are read
	l.identity = arm.Identity{Package: arm.ZIP, Architecture: s.Architecture, MemorySizeMB: s.MemorySizes[0], Handler: s.Handler}
	switch {
	case len(s.Packages) > 0:
		l.code, l.identity.Bootstrap = s.Packages[0], packageName(s.Packages[0])
		if s.Runtime != "" {
			l.runtime = awslambda.NewRuntime(&s.Runtime, "", nil)
		}
	case s.has(arm.Code):
		language := l.language()
		l.identity.Bootstrap, l.identity.Handler, l.runtime = language.Name, habitsHandler, awslambda.NewRuntime(&language.Runtime, "", nil)
		l.identity.Event = habitsEvent
		if l.code, err = buildLanguage(language, context.Background(), habits, s.Architecture); err == nil {
			l.table, err = geoTable(l.stack)
		}
		if err != nil {
			return nil, err
		}
	default:
		l.identity.Bootstrap = s.Arms[0].Bootstrap.Name
		if l.code, err = builder.ZIP(context.Background(), l.identity.Bootstrap, s.Architecture, filepath.Join(handlersDir, s.Handler)); err != nil {
			return nil, err
		}
	}
	l.identity.Arm = arm.ID(l.identity.Bootstrap, arm.ZIP)
	l.identity = l.identity.Pulled(arm.Baseline, "")
	baseline := l.identity
	baseline.Variants = []arm.Variant{{Lever: arm.Twin}}
	for _, lever := range s.Levers {
		for _, level := range lever.Levels {
			set, own, err := l.pull(lever.Name, level)
			if err != nil {
				return nil, fmt.Errorf("-c levers=%s: %w", lever.Name, err)
			}
			if set != nil && !own {
				baseline.Variants = append(baseline.Variants, arm.Variant{Lever: lever.Name, Level: level, Set: *set})
			}
		}
	}
	if err := l.function("Baseline", l.code, baseline); err != nil {
		return nil, err
	}
	return l.stack, finish(l.stack, l.e, l.absent)
}

// pull returns what a level overrides, or nil if the baseline has that level. own reports that it has defined a function of its own.
func (l *leverBench) pull(lever, level string) (set *arm.Override, own bool, err error) {
	set = &arm.Override{}
	switch lever + "=" + level {
	case "logs=text":
		set.LogFormat = "Text"
	case "size=" + level:
		return nil, true, l.sized(lever, level)
	case "provisioned=1":
		set.Provisioned = 1
	case arm.Code + "=" + level:
		return l.habit(level)
	case "tracing=active":
		set.Tracing = "Active"
	case "logs=json": // the baseline
		return nil, false, nil
	case "environment=3kB":
		set.Environment = map[string]string{}
		for i := range 30 {
			set.Environment[fmt.Sprintf("LEVER_%02d", i)] = strings.Repeat("x", 90)
		}
	case "extension=internal":
		if l.Handler != leversHandler || len(l.Packages) > 0 {
			return nil, false, nil // an extension inside a process is the handler's
		}
		set.Environment = map[string]string{"TWINSTART_EXTENSION": "internal"}
	case "extension=external":
		set.Layers, err = l.layer("Extension", func(dir string) error {
			text, err := os.ReadFile(filepath.Join(handlersDir, leversHandler, "extension.sh"))
			if err != nil {
				return err
			}
			to := filepath.Join(dir, "extensions", "extension.sh")
			return errors.Join(os.Mkdir(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o755))
		})
	case "layers=package":
		var code string
		if code, err = kept(func(dir string) error { return errors.Join(archive.Lay(l.code, dir), bulk(dir, 0, bulkFiles)) }); err == nil {
			err = l.function("Layers-package", code, l.identity.Pulled(lever, level))
		}
		return nil, true, err
	case "layers=one":
		set.Layers, err = l.layer("Bulk", func(dir string) error { return bulk(dir, 0, bulkFiles) })
	case "layers=five":
		for i := range bulkFiles {
			one, problem := l.layer(fmt.Sprintf("Bulk%d", i+1), func(dir string) error { return bulk(dir, i, i+1) })
			set.Layers, err = append(set.Layers, one...), errors.Join(err, problem)
		}
	default:
		if set.MemorySizeMB, err = strconv.Atoi(level); set.MemorySizeMB == l.MemorySizes[0] {
			return nil, false, nil
		}
	}
	return set, false, err
}

// sized defines a function of a padded package. The published threshold of 5 MB is one of the sizes.
func (l *leverBench) sized(lever, level string) error {
	text, how, _ := strings.Cut(level, "-")
	mb, _ := strconv.Atoi(text) // checked
	if how == "code" && !strings.HasPrefix(*l.runtime.Name(), "provided") {
		return nil // the program is Lambda's
	}
	code, err := kept(func(dir string) error {
		filler, to := packages.Noise(int64(mb)<<20), filepath.Join(dir, "filler")
		if how == "zeros" {
			clear(filler)
		}
		if how == "code" { // no header refers to what follows the program's image
			to = filepath.Join(dir, "bootstrap")
		}
		if err := archive.Lay(l.code, dir); err != nil {
			return err
		}
		file, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(filler)
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return err
	}
	identity := l.identity.Pulled(lever, level)
	if how == "image" {
		identity.Package = arm.Image
	}
	return l.function("Size-"+level, code, identity)
}

// leversHandler is the handler that can have an extension in its process.
const leversHandler = "levers"

// function defines a function as an arm.
func (l *leverBench) function(id, code string, identity arm.Identity) error {
	path, err := filepath.Abs(code)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no %s", path)
	}
	handler := l.Handler
	switch {
	case l.table != nil:
		handler = l.language().Handler(habits.Name)
	case len(l.Packages) == 0:
		handler = bashfunction.DefaultHandler
	case handler == "":
		handler = "bootstrap"
	}
	props := awslambda.FunctionProps{Runtime: l.runtime, Handler: &handler}
	if identity.Package == arm.Image {
		if props.Code, err = experiment.Image(path, *l.runtime.Name(), handler, l.Architecture); err != nil {
			return err
		}
		props.Runtime, props.Handler = awslambda.Runtime_FROM_IMAGE(), awslambda.Handler_FROM_IMAGE()
	} else {
		props.Code = awslambda.Code_FromAsset(&path, nil)
	}
	f := bashfunction.Function(constructs.NewConstruct(l.stack, &id), l.options, props)
	grant(l.table, f, map[bool][]string{true: {"GetItem", "PutItem", "BatchWriteItem"}}[l.table != nil])
	l.e.AddIdentity(f, identity)
	explained := *l.settings
	if l.has("tracing") { // an update cannot give the function's role the rights
		f.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("xray:PutTraceSegments", "xray:PutTelemetryRecords"), Resources: jsii.Strings("*")}))
		explained.Tracing = awslambda.Tracing_ACTIVE
	}
	explained.explain(f)
	return nil
}

// has reports whether a lever is measured.
func (s *settings) has(name string) bool {
	return slices.ContainsFunc(s.Levers, func(l arm.Lever) bool { return l.Name == name })
}

// layer defines a layer, which no function has before a run gives it, and returns its logical ID.
func (l *leverBench) layer(id string, write func(dir string) error) ([]string, error) {
	dir, err := kept(write)
	if err != nil {
		return nil, err
	}
	layer := awslambda.NewLayerVersion(l.stack, &id, &awslambda.LayerVersionProps{LayerVersionName: jsii.String(*l.stack.StackName() + "-" + id), Code: awslambda.Code_FromAsset(&dir, nil), RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	return []string{*l.stack.GetLogicalId(layer.Node().DefaultChild().(awscdk.CfnElement))}, nil
}

// bulkFiles is the number of files, of 1 MB each, that a package or its layers hold and nobody reads.
const bulkFiles = 5

// bulk writes files that cannot be compressed: the same bytes each time.
func bulk(dir string, from, to int) error {
	if err := os.MkdirAll(filepath.Join(dir, "bulk"), 0o755); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		name := filepath.Join(dir, "bulk", strconv.Itoa(i+1))
		if err := os.WriteFile(name, packages.Noise(bulkFiles << 20)[i<<20:(i+1)<<20], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kept writes a folder of the cache, which is named by its content.
func kept(write func(dir string) error) (string, error) {
	cache, err := archive.Cache("levers")
	if err != nil {
		return "", err
	}
	return archive.Keep(cache, write)
}

// leversNamed parses -c levers.
func leversNamed(names []string) (chosen []arm.Lever, err error) {
	var known []string
	for _, l := range arm.Levers() {
		known = append(known, l.Name)
		if slices.Contains(names, l.Name) {
			chosen = append(chosen, l)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%q is no lever: use %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// levers reports whether the experiment is that of levers, or of the one lever size.
func (s *settings) levers() bool { return s.Experiment == "levers" || s.Experiment == "sizes" }

// leverSizes parses -c sizes, which takes the place of the sizes that the table names.
func leverSizes(texts []string) (levels []string, err error) {
	for _, t := range texts {
		if _, err := whole(t, 1, 240, fmt.Sprintf("%q is not a size: use whole MB from 1 to 240 (Lambda unpacks 250, with the code)", t)); err != nil {
			return nil, err
		}
		levels = append(levels, t, t+"-image")
	}
	return append(levels, texts[len(texts)-1]+"-zeros"), nil
}

// completeLevers sets the defaults of the experiment of levers, and refuses what excludes its levers.
func (s *settings) completeLevers() error {
	if s.Experiment == "sizes" && s.Levers == nil {
		s.Levers, _ = leversNamed([]string{"size"})
	}
	sized := slices.IndexFunc(s.Levers, func(l arm.Lever) bool { return l.Name == "size" })
	switch {
	case s.Sizes != nil && sized < 0:
		return errors.New("-c sizes is for the lever size: add -c experiment=sizes, or leave it out")
	case s.Sizes != nil:
		s.Levers[sized].Levels = s.Sizes
	}
	switch {
	case !s.levers() && s.Levers != nil:
		return errors.New("-c levers is for -c experiment=levers: add that, or leave -c levers out")
	case !s.levers():
		return nil
	case s.Levers == nil:
		s.Levers = slices.DeleteFunc(arm.Levers(), func(l arm.Lever) bool { return l.Asked })
	}
	switch {
	case len(s.MemorySizes) > 1:
		return errors.New("-c experiment=levers and several -c memory: the lever memory measures them: give the baseline's")
	case len(s.Packages) > 1:
		return errors.New("-c experiment=levers changes one package: name one in -c packages")
	case s.Tracing != "" && s.has("tracing"):
		return errors.New("-c experiment=levers and -c tracing: the lever tracing measures it: leave one out")
	case s.Reserved == 1 && s.has("provisioned"):
		return errors.New("-c experiment=levers and -c reserved=1: the lever provisioned takes an environment beside the baseline's: raise reserved")
	case s.Provisioned != nil || s.URL:
		return errors.New("-c experiment=levers measures functions by Invoke: leave -c provisioned and -c url out")
	case s.has(arm.Code) && (s.Packages != nil || s.Arms != nil):
		return errors.New("-c levers=code is of a function of ours in -c languages=node, python or bash: leave -c packages and -c arms out")
	case s.has(arm.Code) && s.Languages != nil && (len(s.Languages) > 1 || arm.CodeHabits(s.Languages[0].Name) == nil):
		return errors.New("-c levers=code: handlers/habits is in node, python and bash: name one of them in -c languages")
	case len(s.Packages) > 0:
		return nil
	case s.Arms == nil:
		s.Arms, _ = selectArms([]string{"rawsyscall/zip"}) // it is there
	case len(s.Arms) > 1:
		return errors.New("-c experiment=levers changes one arm: name one in -c arms, as in nethttp/zip")
	case s.Arms[0].Package != arm.ZIP:
		return errors.New("-c experiment=levers and an image: Lambda gives an image no layers: name a ZIP in -c arms")
	}
	return nil
}
