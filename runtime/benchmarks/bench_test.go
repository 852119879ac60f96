//go:build linux

package benchmarks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
)

var (
	rounds = flag.Int("rounds", 30, "cold starts of each bootstrap")
	calls  = flag.Int("calls", 40, "warm calls after each cold start")
	only   = flag.String("only", "", "names of rows, with commas between; all by default")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random order")
)

func wanted(name string) bool { return *only == "" || slices.Contains(strings.Split(*only, ","), name) }

// BenchmarkBootstraps measures all rows together, because each round has one cold start of every row in a new random
// order. Then it reports each row as a benchmark of its own, and prints a table and the goals. A goal that is not met
// is a finding, not an error. YARDSTICK names a candidates.json with rows of other programs.
func BenchmarkBootstraps(b *testing.B) {
	if *rounds < 2 || *calls < 1 {
		b.Fatal("-rounds wants at least 2 and -calls at least 1")
	}
	host, err := arm.ParseArchitecture(string(arm.Host()))
	if err != nil {
		b.Fatalf("no function of Lambda has this machine's architecture: %v", err)
	}
	candidates, notes, err := ours(b, host)
	if file := os.Getenv("YARDSTICK"); err == nil && file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join("../..", file) // make is given a path from its own folder
		}
		var more []*candidate
		more, err = others(file)
		candidates = append(candidates, more...)
	}
	if err != nil {
		b.Fatal(err)
	}
	candidates = slices.DeleteFunc(candidates, func(c *candidate) bool { return !wanted(c.name) })
	if len(candidates) == 0 {
		b.Fatalf("-only %s names no row", *only)
	}
	rows, more, err := measure(b.Context(), candidates, host)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rows {
		b.Run(r.name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op") // this loop measures nothing
			for _, m := range columns {
				if s := m.of(r); s != nil {
					b.ReportMetric(s.median, m.unit)
				}
			}
		})
	}
	fmt.Printf("\n%s", describe(rows, append(notes, more...)))
}
