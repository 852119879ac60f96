package main

import (
	"context"
	"fmt"
	goio "io"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/report/cost"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/lab/assembly"
)

// previewCommand says what a deployment of an assembly creates and costs. It asks the account only if functions
// reserve concurrency.
type previewCommand struct {
	assemblyFlags
	Cold  int     `default:"60" help:"Cold starts of each arm in a run."`
	Warm  int     `default:"100" help:"Warm invocations of each arm in a run."`
	Limit float64 `placeholder:"USD" help:"End with status 1 where a month and a run together cost more."`
}

// usualConcurrency is an account's quota unless it is new.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const usualConcurrency = 1000

// Run prints.
func (c *previewCommand) Run(ctx context.Context, io streams) error {
	if c.Cold < 0 || c.Warm < 0 {
		return fmt.Errorf("--cold %d --warm %d: counts of samples must not be negative", c.Cold, c.Warm)
	}
	a, err := c.read()
	if err != nil {
		return err
	}
	stack, err := a.Stack(c.Stack)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(stack.Template)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	template, err := cost.Read(text)
	if err != nil {
		return err
	}
	for _, line := range arm.ByReason(stack.NotMeasured) {
		fmt.Fprintf(io.err, "warning: not measured: %s\n", line)
	}
	parallel := min(most, max(1, template.Counts()["AWS::Lambda::Function"]))
	options := measure.Options{Cold: c.Cold, Warm: c.Warm, Parallel: parallel, Burst: usualConcurrency / parallel}
	arms, provisioned := template.Arms()
	takes := measure.EstimateArms(arms, template.SnapStart(), provisioned, options)
	resources := table.Table{Title: "Stack " + stack.Name, Heads: []table.Head{{}, {Left: true}}}
	counts := template.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		resources.Add(fmt.Sprint(counts[kind]), kind)
	}
	monthly, run := template.Monthly(packageBytes(stack.Functions)), template.Run(options, cost.All)
	tables := []table.Table{resources,
		costs("Each month, with no function running (USD, list prices of us-east-1, docs/cost.md)", monthly),
		costs(fmt.Sprintf("Each run of %d cold starts and %d warm invocations of every arm, about %.0f min", c.Cold, c.Warm,
			math.Ceil(takes.Minutes())), run)}
	if levers := template.Levers(options, cost.All); len(levers) > 0 {
		tables = append(tables, costs("Of that, each lever", levers))
	}
	for _, t := range tables {
		if _, err := fmt.Fprint(io.out, t.Text(columns(io.out))); err != nil {
			return err
		}
	}
	if usd := cost.Total(monthly) + cost.Total(run); c.Limit > 0 && usd > c.Limit {
		fmt.Fprintf(io.err, "!!  cost: %.2f USD, more than --limit %.2f: choose fewer arms or leave options out\n", usd, c.Limit)
		return errFinding
	}
	if template.SnapStart() > 0 {
		if cfg, err := account.InRegion(ctx, ""); err == nil && slices.Contains(noSnapStart, cfg.Region) {
			fmt.Fprintf(io.err, "!!  SnapStart: Lambda has none in %s: set AWS_REGION to another region\n", cfg.Region)
			return errFinding
		}
	}
	return enough(ctx, template.Concurrency(), io.err)
}

// noSnapStart are the regions without SnapStart. See
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-supported-regions.
var noSnapStart = []string{"ap-east-2", "ap-southeast-6"}

// leftUnreserved is how many concurrent executions Lambda keeps for functions without a reservation. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html.
const leftUnreserved = 100

// enough checks whether the account has so much concurrency to reserve. CloudFormation would fail only after minutes.
func enough(ctx context.Context, wanted int, out goio.Writer) error {
	if wanted == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cfg, err := account.InRegion(ctx, "")
	var s *lambda.GetAccountSettingsOutput
	if err == nil {
		s, err = lambda.NewFromConfig(cfg).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	}
	switch {
	case err != nil || s.AccountLimit == nil:
		fmt.Fprintf(out, "--  concurrency: these functions reserve or provision %d; what the account has cannot be read: allow lambda:GetAccountSettings to know\n", wanted)
	case wanted > int(s.AccountLimit.ConcurrentExecutions)-leftUnreserved:
		fmt.Fprintf(out, "!!  concurrency: these functions reserve or provision %d; the account has %d, of which %d have to stay unreserved: lower -c reserved or -c provisioned, or choose fewer arms\n",
			wanted, s.AccountLimit.ConcurrentExecutions, leftUnreserved)
		return errFinding
	case s.AccountLimit.UnreservedConcurrentExecutions != nil && wanted > int(*s.AccountLimit.UnreservedConcurrentExecutions)-leftUnreserved:
		fmt.Fprintf(out, "--  concurrency: these functions reserve or provision %d; %d are unreserved, of which %d have to stay: enough only if this stack has its share already\n",
			wanted, *s.AccountLimit.UnreservedConcurrentExecutions, leftUnreserved)
	}
	return nil
}

// packageBytes sums the sizes of the deployment packages, each once.
func packageBytes(functions []assembly.Function) (zips, images int64) {
	seen := map[string]bool{}
	for _, f := range functions {
		if seen[f.Package] {
			continue
		}
		seen[f.Package] = true
		if f.PackageType == assembly.Image {
			images += f.PackageSizeBytes
		} else {
			zips += f.PackageSizeBytes
		}
	}
	return zips, images
}

func costs(title string, lines []cost.Line) table.Table {
	t := table.Table{Title: title, Heads: []table.Head{{}, {Left: true}, {Left: true}}}
	for _, l := range lines {
		t.Add(fmt.Sprintf("%.4f", l.USD), fmt.Sprintf("%d %s", l.Count, l.What), l.Note)
	}
	t.Add(fmt.Sprintf("%.4f", cost.Total(lines)), "total")
	return t
}
