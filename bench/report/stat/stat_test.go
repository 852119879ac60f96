package stat

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
)

// independent holds the results of NumPy, SciPy and statsmodels, which testdata/generate.py wrote.
type independent struct {
	Samples []struct {
		Name            string
		Values          []float64
		Mean, Total, SD float64
		Quantiles       map[string]float64
	}
	Orders []struct {
		N     int
		Q     float64
		Order *[3]float64 // ranks and coverage
	}
	Pairs []struct {
		A, B json.RawMessage // a sample's name, or values
		P    float64
	}
	Shifts []struct {
		A, B            []float64
		Level, Estimate float64
		CI              [2]float64
	}
	Ratios []struct {
		A, B    string
		Q, Half float64
	}
	Ranges []struct {
		Arms        int
		P, Adjusted float64
	}
	Holm []struct{ P, Adjusted []float64 }
}

func load(t *testing.T) (in independent, samples map[string]*Sample) {
	t.Helper()
	read(t, "generate.py", "independent.json", &in)
	if len(in.Samples) == 0 || len(in.Orders) == 0 || len(in.Pairs) == 0 || len(in.Shifts) == 0 || len(in.Ratios) == 0 || len(in.Ranges) == 0 || len(in.Holm) == 0 {
		t.Fatal("a list in independent.json is empty")
	}
	samples = map[string]*Sample{}
	for _, s := range in.Samples {
		samples[s.Name] = NewSample(s.Values)
	}
	return in, samples
}

// python makes the tests compute the independent values with SciPy instead of reading its stored results: make
// statistics.
var python = flag.String("python", "", "a Python that has what testdata/requirements.txt of package report names")

var computed = map[string][]byte{} // by script

func read(t *testing.T, script, file string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if *python != "" {
		if computed[script] == nil {
			computed[script], err = exec.Command(*python, "testdata/"+script).Output()
		}
		data = computed[script]
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s is %v, the independent value is %v", what, got, want)
	}
}

var quantiles = map[string]float64{"0.2": 0.2, "0.4": 0.4, "0.5": 0.5, "0.6": 0.6, "0.8": 0.8, "0.9": 0.9, "0.95": 0.95, "0.99": 0.99}

func TestSummariesAgainstNumPy(t *testing.T) {
	in, samples := load(t)
	for _, want := range in.Samples {
		s := samples[want.Name]
		near(t, want.Name+" mean", s.Mean(), want.Mean, 1e-12)
		near(t, want.Name+" total", s.Total(), want.Total, 1e-12)
		near(t, want.Name+" sd", s.StdDev(), want.SD, 1e-12)
		for name, x := range want.Quantiles {
			near(t, want.Name+" quantile "+name, s.Quantile(quantiles[name]), x, 1e-12)
		}
	}
}

func TestOrderStatisticsAgainstSciPy(t *testing.T) {
	in, _ := load(t)
	for _, want := range in.Orders {
		got, ok := Order(want.N, want.Q)
		if ok != (want.Order != nil) {
			t.Errorf("n %d, q %v: %+v, the independent value is %v", want.N, want.Q, got, want.Order)
			continue
		}
		if ok && (float64(got.Hi-got.Lo) != want.Order[1]-want.Order[0] || math.Abs(got.Coverage-want.Order[2]) > 1e-9) {
			t.Errorf("n %d, q %v: %+v, the independent value is %v", want.N, want.Q, got, *want.Order)
		}
	}
	for q, least := range map[float64]int{0.5: 6, 0.8: 14, 0.9: 29, 0.95: 59, 0.99: 299} {
		if _, ok := Order(least-1, q); ok {
			t.Errorf("%v has an interval from %d values", q, least-1)
		}
		if o, ok := Order(least, q); !ok || o.Coverage < Confidence {
			t.Errorf("%v has no interval from %d values: %+v", q, least, o)
		}
	}
}

// TestCoverage draws samples and counts how often an interval holds the quantile: as often as Order says, within 1 %.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 16))
	for _, n := range []int{20, 60, 200, 1000} {
		for _, q := range []float64{0.5, 0.8, 0.9, 0.95, 0.99} {
			o, ok := Order(n, q)
			if !ok {
				continue
			}
			const times = 4000
			held := 0
			for range times {
				below := 0 // of n uniform values: the coverage is the same for any distribution
				for range n {
					if rng.Float64() < q {
						below++
					}
				}
				if o.Lo <= below && below < o.Hi {
					held++
				}
			}
			if got := float64(held) / times; math.Abs(got-o.Coverage) > 0.01 {
				t.Errorf("n %d, q %v: %.4f of intervals hold it, Order says %.4f", n, q, got, o.Coverage)
			}
		}
	}
}

func TestResampledRatiosAgainstNumPy(t *testing.T) {
	in, samples := load(t)
	for _, want := range in.Ratios {
		a, b := samples[want.A], samples[want.B]
		draws := Draws{Rounds{a.InOrder()}.Quantile(want.Q, 1, 1)[0], Rounds{b.InOrder()}.Quantile(want.Q, 1, 2)[0]}
		s, ok := Ratios([]float64{a.Quantile(want.Q), b.Quantile(want.Q)}, draws, Alpha).Pair(0, 1)
		if !ok {
			t.Fatal("no interval")
		}
		near(t, "log ratio", s.Estimate, math.Log(a.Quantile(want.Q)/b.Quantile(want.Q)), 1e-12)
		near(t, "half width of "+want.A+" / "+want.B, (s.CI.Hi-s.CI.Lo)/2, want.Half, 0.06)
	}
}

func TestUnpairedAgainstSciPy(t *testing.T) {
	in, _ := load(t)
	for i, want := range in.Shifts {
		got, ok := Unpaired(want.A, want.B, want.Level)
		rng := rand.New(rand.NewPCG(1, 1))
		for got.Effective < float64(got.N) { // their order looks like dependence, for which SciPy does not correct: shuffle
			rng.Shuffle(len(want.B), func(i, j int) { want.B[i], want.B[j] = want.B[j], want.B[i] })
			rng.Shuffle(len(want.A), func(i, j int) { want.A[i], want.A[j] = want.A[j], want.A[i] })
			got, ok = Unpaired(want.A, want.B, want.Level)
		}
		if !ok {
			t.Fatal("no test")
		}
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"estimate", got.Estimate, want.Estimate}, {"lower bound", got.CI.Lo, want.CI[0]}, {"upper bound", got.CI.Hi, want.CI[1]}} {
			if math.Abs(c.got-c.want) > 1e-9 {
				t.Errorf("samples %d: %s is %v, the independent value is %v", i, c.name, c.got, c.want)
			}
		}
		if got.Told != (got.P < want.Level) || got.Told != (got.CI.Lo > 0 || got.CI.Hi < 0) {
			t.Errorf("samples %d: the interval and p disagree: %+v", i, got)
		}
	}
}

func TestFamilyAgainstSciPy(t *testing.T) {
	in, _ := load(t)
	for _, want := range in.Ranges {
		near(t, fmt.Sprintf("p of %d arms", want.Arms), Family{want.Arms, Alpha}.Adjust(want.P), want.Adjusted, 1e-6)
	}
	for _, k := range []int{2, 3, 26} {
		f := Family{k, Alpha}
		near(t, "adjusted level", f.Adjust(f.Level()), Alpha, 1e-9)
	}
	if p := (Family{26, Alpha}).Adjust(1e-30); p > 1e-26 {
		t.Errorf("want a p below 1e-26: %v", p)
	}
}

func TestMannWhitneyAgainstSciPy(t *testing.T) {
	in, samples := load(t)
	pick := func(raw json.RawMessage) *Sample {
		var name string
		if json.Unmarshal(raw, &name) == nil {
			return samples[name]
		}
		var values []float64
		if err := json.Unmarshal(raw, &values); err != nil {
			t.Fatal(err)
		}
		return NewSample(values)
	}
	for i, want := range in.Pairs {
		tolerance := 1e-9
		if i < 4 || i == 7 {
			tolerance = 0.01 // at least one of the two is an approximation
		}
		near(t, "p", RankSum(pick(want.A).Values(), pick(want.B).Values()), want.P, tolerance)
	}
}

func TestHolmAgainstStatsmodels(t *testing.T) {
	in, _ := load(t)
	for _, want := range in.Holm {
		for i, p := range Holm(want.P) {
			near(t, "adjusted p", p, want.Adjusted[i], 1e-12)
		}
	}
}

func TestFewValues(t *testing.T) {
	none, one, same := NewSample(nil), NewSample([]float64{3}), NewSample([]float64{3, 3, 3, 3, 3, 3, 3, 3})
	if m, _, ok := none.Median(); ok || !math.IsNaN(m) || !math.IsNaN(none.Mean()) || !math.IsNaN(none.Quantile(0.5)) {
		t.Error("a sample without values has a median, a mean or a quantile")
	}
	if m, _, ok := one.Median(); ok || m != 3 {
		t.Errorf("one value: %v %v", m, ok)
	}
	if _, ok := one.Interval(0.9); ok {
		t.Error("one value has an interval")
	}
	for _, pair := range [][2]*Sample{{none, one}, {one, same}, {same, same}} {
		if s, ok := Unpaired(pair[0].InOrder(), pair[1].InOrder(), Alpha); s.Told || ok && s.P <= Alpha {
			t.Errorf("samples that do not differ are told apart: %+v", s)
		}
	}
	if draws := (Rounds{{math.NaN(), math.NaN()}, {1, 2}}).Quantile(0.5, 1, 1); !math.IsNaN(draws[0][0]) {
		t.Errorf("an arm without values has resamples: %v", draws[0][0])
	}
	if s, ok := Ratios([]float64{3, 4}, Draws{{3, 3, 3}, {4, 4, 4}}, Alpha).Pair(0, 1); ok || s.Told {
		t.Errorf("constants told apart: %+v", s)
	}
	if m, ci, ok := same.Median(); m != 3 || !ok || ci != (Interval{3, 3}) {
		t.Errorf("equal values: %v %v %v", m, ci, ok)
	}
}

func TestTailNeedsFiveValuesBeyondIt(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 49: 0, 50: 0.9, 99: 0.9, 100: 0.95, 499: 0.95, 500: 0.99, 5000: 0.99} {
		if q, ok := Tail(n); q != want || ok != (want != 0) {
			t.Errorf("Tail(%d) = %v, %v; want %v", n, q, ok, want)
		}
	}
}

func TestDrift(t *testing.T) {
	var still, moving []float64
	for i := range 60 {
		x := 20 + float64(i*7%13)/10
		still = append(still, x)
		moving = append(moving, x*(1+float64(i/30)*0.2))
	}
	if d, found := NewSample(still).Drift(); found {
		t.Errorf("drift found where there is none: %+v", d)
	}
	if d, found := NewSample(moving).Drift(); !found || d.Ratio < 1.1 {
		t.Errorf("drift of 20 %% not found: %+v", d)
	}
}

func BenchmarkPaired(b *testing.B) {
	for _, n := range []int{25, 60, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := make([]float64, n)
			for i := range d {
				d[i] = math.Sin(float64(i * i))
			}
			for b.Loop() {
				Paired(d, Alpha, Dependence{})
			}
		})
	}
}

// Thirty differences of one sign depend on each other so much that they count like few. At a strict level they tell
// nothing apart, and their interval says the same.
func TestIntervalOfFewIndependentPairs(t *testing.T) {
	var d []float64
	for i := range 30 {
		d = append(d, 2+math.Sin(float64(i)/5))
	}
	for _, level := range []float64{0.05, 0.01, 0.001, 0.0001} {
		s, ok := Paired(d, level, Dependence{})
		if !ok || s.Effective >= 15 {
			t.Fatalf("level %v: %+v", level, s)
		}
		if excludes := s.CI.Lo > 0; excludes != s.Told || s.Told != (s.P < level) || s.CI.Lo >= s.Estimate || s.CI.Hi <= s.Estimate {
			t.Errorf("level %v: %+v", level, s)
		}
	}
	if s, _ := Paired(d, 0.001, Dependence{}); s.Told || s.CI.Hi-s.CI.Lo < 2*s.Estimate {
		t.Errorf("%+v: want an interval that reaches 0", s)
	}
}
