package cost

import (
	"math"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/measure"
)

const pulled = `{"Resources": {
 "F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "a/zip", "levels": {"lever": "baseline"},
  "variants": [{"lever": "twin"}, {"lever": "memory", "level": "2048", "set": {"memorySizeMB": 2048}}, {"lever": "provisioned", "level": "1", "set": {"provisioned": 1}},
   {"lever": "provisioned", "level": "10", "set": {"provisioned": 10}}, {"lever": "tracing", "level": "sampled", "set": {"sampled": "1"}}]}}},
 "V": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "a/zip-vpc-isolated", "levels": {"lever": "vpc", "level": "isolated"}}}},
 "T": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "a/zip-tracked-10-100", "alias": "live", "levels": {"lever": "tracked", "level": "10-100"}}}},
 "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "T"}, "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 10}}},
 "Gate": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
 "Scale": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"MinCapacity": 10, "MaxCapacity": 100,
  "ResourceId": {"Fn::Join": ["", ["function:", {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "Live"}]}]}, ":live"]]}}}
}}`

// Each lever has its own calls, dollars and time. A run does not call arms that are measured under load only. Such an arm
// needs as many of the account's environments as it may grow to.
func TestLevers(t *testing.T) {
	read, err := Read([]byte(pulled))
	if err != nil {
		t.Fatal(err)
	}
	const gbSecond, request, hour = 0.0000133334, 0.0000002, 0.0000033334
	call := func(memoryGB float64) float64 {
		return 30*(0.1*memoryGB*gbSecond+request) + 100*(0.005*memoryGB*gbSecond+request)
	}
	want := map[string]struct {
		calls int
		usd   float64
		note  string
	}{
		"calls, lever memory":      {130, call(2), "own functions: 0; about 2 min"},
		"calls, lever provisioned": {130, call(1) + 30*300*hour, "own functions: 0; about 62 min"},
		"calls, lever tracing":     {130, call(1) + 130*5e-6, "own functions: 0"},
		"calls, lever vpc":         {130, call(1), "own functions: 1; about 2 min; make destroy takes 20 to 40 min"},
		"calls, lever tracked":     {0, 0, "own functions: 1; twinstart load measures it; its environments cost 0.1200 an hour until make destroy"},
	}
	for _, l := range read.Levers(measure.Options{Cold: 20, Warm: 100}, All) {
		w, ok := want[l.What]
		if delete(want, l.What); !ok || l.Count != w.calls || math.Abs(l.USD-w.usd) > 1e-9 || !strings.HasPrefix(l.Note, w.note) {
			t.Errorf("%+v, want %+v", l, w)
		}
	}
	if len(want) > 0 {
		t.Errorf("no line for %v", want)
	}
	if n := read.Concurrency(); n != 110 {
		t.Errorf("%d environments, want the 10 of a run and the 100 of tracking", n)
	}
	load := measure.Options{Load: &measure.Load{Requests: 500, Concurrency: 10, Repeats: 6}}
	lines := read.Levers(load, func(id string) bool { return strings.HasSuffix(id, "-10") })
	if len(lines) != 1 || lines[0].Count != 3000 || math.Abs(lines[0].USD-6*10*300*hour-6*(0.1*gbSecond+request)-2994*(0.005*gbSecond+request)) > 1e-9 {
		t.Errorf("under load: %+v", lines)
	}
	for _, l := range read.Monthly(0, 0) {
		if l.What == "AWS::EC2::VPCEndpoint" {
			t.Errorf("a gateway endpoint is free, but it has a line: %+v", l)
		}
	}
}
