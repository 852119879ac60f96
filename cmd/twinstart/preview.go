package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

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
	Cold  uint    `default:"60"`
	Warm  uint    `default:"100"`
	Limit float64 `placeholder:"USD"`
}

// Run prints the resources and the costs.
func (c *previewCommand) Run(ctx context.Context, std streams) error {
	if !(c.Limit >= 0) || max(c.Cold, c.Warm) > 1e6 {
		return fmt.Errorf("--limit %v --cold %d --warm %d: want USD, 0 for none, and up to 1000000", c.Limit, c.Cold, c.Warm)
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
		fmt.Fprintf(std.err, "warning: not measured: %s\n", line)
	}
	counts := template.Counts()
	at := min(most, max(1, counts["AWS::Lambda::Function"]))
	options := measure.Options{Cold: int(c.Cold), Warm: int(c.Warm), Parallel: at, Burst: usualConcurrency / at}
	arms, provisioned := template.Arms()
	takes := measure.EstimateArms(arms, template.SnapStart(), provisioned, options)
	resources := table.Table{Title: "Stack " + stack.Name, Heads: []table.Head{{}, {Left: true}}}
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
		fmt.Fprint(std.out, t.Text(columns(std.out)))
	}
	if usd := cost.Total(monthly) + cost.Total(run); c.Limit > 0 && usd > c.Limit {
		fmt.Fprintf(std.err, "!!  cost: %.2f USD, more than --limit %.2f: choose fewer arms or options\n", usd, c.Limit)
		return errFinding
	}
	cfg, err := account.InRegion(ctx, "")
	if err == nil && template.SnapStart() > 0 && slices.Contains(noSnapStart, cfg.Region) {
		fmt.Fprintf(std.err, "!!  SnapStart: Lambda has none in %s: set AWS_REGION to another region\n", cfg.Region)
		return errFinding
	}
	return enough(ctx, cfg, template.Concurrency(), std.err)
}

// noSnapStart lists the regions without SnapStart. See
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-supported-regions.
var noSnapStart = []string{"ap-east-2", "ap-southeast-6"}

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
