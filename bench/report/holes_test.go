package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// A run of few rounds has a report even if arms are missing in a round. The report has no NaN, so it can be JSON.
func TestARoundThatLacksArms(t *testing.T) {
	arms := recordtest.Arms()[:3]
	for lacking := range 1 << len(arms) {
		var b bytes.Buffer
		w := record.NewWriter(&b)
		for r := range (recordtest.Run{Source: record.AWS, Arms: arms, Cold: 2, Warm: 2, Seed: 1}).Records() {
			for i, a := range arms {
				r.FirstAfterDeploy = r.FirstAfterDeploy || lacking&(1<<i) != 0 && r.Bootstrap == a.Bootstrap && r.Package == a.Package && r.Round == 1 && r.Start == record.Cold
			}
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		rep, err := Stream(&b, "run", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(rep); err != nil {
			t.Errorf("%03b: %v", lacking, err)
		}
	}
}
