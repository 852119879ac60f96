package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// models holds the results of SciPy and statsmodels, which testdata/generate_models.py wrote.
type models struct {
	Paired []struct {
		D        []float64
		Estimate float64
		CI       [2]float64
		P        float64
	}
	Lines []struct {
		X            [][]float64
		Y            []float64
		Coefficients []float64
		CI           [][2]float64
		P            []float64
	}
	Roots []struct {
		X, Y []float64
		Root float64
		CI   *[2]float64
	}
	Serial []struct {
		Values []float64
		R      float64
	}
	Clusters []struct {
		Clusters [][]float64
		CI       map[string][2]float64
	}
	Power []struct {
		SD, Ratio float64
		N         int
		Power     float64
	}
}

func loadModels(t *testing.T) (in models) {
	t.Helper()
	read(t, "generate_models.py", "models.json", &in)
	if len(in.Paired) == 0 || len(in.Lines) == 0 || len(in.Roots) == 0 || len(in.Serial) == 0 || len(in.Clusters) == 0 || len(in.Power) == 0 {
		t.Fatal("a list in models.json is empty")
	}
	return in
}

func TestPairedAgainstSciPy(t *testing.T) {
	for i, want := range loadModels(t).Paired {
		got, ok := Paired(want.D, Alpha, Dependence{})
		if !ok || got.N != len(want.D) {
			t.Fatalf("%d: %+v", i, got)
		}
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"estimate", got.Estimate, want.Estimate}, {"lower bound", got.CI.Lo, want.CI[0]}, {"upper bound", got.CI.Hi, want.CI[1]}} {
			if math.Abs(c.got-c.want) > 1e-9 {
				t.Errorf("pairs %d: %s is %v, the independent value is %v", i, c.name, c.got, c.want)
			}
		}
		near(t, fmt.Sprintf("pairs %d: p", i), got.P, want.P, 1e-9)
	}
	if _, ok := Paired([]float64{1, 2, 3, 4, 5}, Alpha, Dependence{}); ok {
		t.Error("five pairs have an interval")
	}
	if p := SignedRank(make([]float64, 20)); p != 1 {
		t.Errorf("all differences are 0: p = %v, want 1", p)
	}
	same, ok := Paired([]float64{2, 2, 2, 2, 2, 2, 2, 2}, Alpha, Dependence{})
	if !ok || same.Estimate != 2 || same.CI != (Interval{2, 2}) {
		t.Errorf("equal differences: %+v", same)
	}
}

// TestOwnDependenceIsCorrectedFor: two arms that do not differ, each with its own AR(1) series. Without the correction
// signed ranks err in 23, 14 and 49 % of runs.
func TestOwnDependenceIsCorrectedFor(t *testing.T) {
	for _, c := range []struct{ rho, white, most float64 }{{0, 0, 0.06}, {0.5, 0, 0.06}, {0.5, 1, 0.09}, {0.8, 0, 0.06}} {
		rng := rand.New(rand.NewPCG(3, 16))
		const times = 2000
		told := 0
		for range times {
			d, x := make([]float64, 60), rng.NormFloat64()
			for i := range d {
				d[i] = x + c.white*rng.NormFloat64()
				x = c.rho*x + math.Sqrt(1-c.rho*c.rho)*rng.NormFloat64()
			}
			s, _ := Paired(d, Alpha, Dependence{})
			if s.Told {
				told++
			}
			if s.Told != (s.P < Alpha) {
				t.Fatalf("the interval and p disagree: %+v", s)
			}
		}
		if got := float64(told) / times; got > c.most {
			t.Errorf("rho %v, white noise %v: told apart in %.1f %% of runs", c.rho, c.white, 100*got)
		}
	}
}

func TestLeastSquaresAgainstStatsmodels(t *testing.T) {
	in := loadModels(t)
	for _, want := range in.Lines {
		fit, err := Fit(want.X, want.Y)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Coefficients {
			c := fit.Coefficient(i)
			near(t, "coefficient", c.Estimate, want.Coefficients[i], 1e-8)
			near(t, "lower bound", c.CI.Lo, want.CI[i][0], 1e-8)
			near(t, "upper bound", c.CI.Hi, want.CI[i][1], 1e-8)
			near(t, "p", c.P, want.P[i], 1e-6)
		}
	}
	for _, want := range in.Roots {
		var x [][]float64
		for _, v := range want.X {
			x = append(x, []float64{1, v})
		}
		fit, err := Fit(x, want.Y)
		if err != nil {
			t.Fatal(err)
		}
		root, ci, ok := fit.Root()
		near(t, "root", root, want.Root, 1e-8)
		if ok != (want.CI != nil) {
			t.Errorf("interval %v, the independent value is %v", ci, want.CI)
		} else if ok && (math.Abs(ci.Lo-want.CI[0]) > 2e-4 || math.Abs(ci.Hi-want.CI[1]) > 2e-4) {
			t.Errorf("interval %v, the independent value is %v", ci, *want.CI)
		}
	}
	if _, err := Fit([][]float64{{1, 2}, {1, 2}, {1, 2}}, []float64{1, 2, 3}); err == nil {
		t.Error("no error for a line through points at one x")
	}
	if _, err := Fit([][]float64{{1, 2}}, []float64{1}); err == nil {
		t.Error("no error for a line through one point")
	}
}

func TestAutocorrelationAgainstSciPy(t *testing.T) {
	for i, want := range loadModels(t).Serial {
		a, found := NewSample(want.Values).Autocorrelation()
		near(t, "rank correlation", a.R, want.R, 1e-9)
		if found != (i == 1) {
			t.Errorf("%d: found %v, %+v", i, found, a)
		}
	}
}

func TestClustersAgainstResampling(t *testing.T) {
	for i, want := range loadModels(t).Clusters {
		qs := []float64{0.2, 0.5, 0.9, 0.95}
		ci, ok := NewClusters(want.Clusters).Intervals(qs, 1)
		if !ok {
			t.Fatal("no interval")
		}
		for k, q := range []string{"0.2", "0.5", "0.9", "0.95"} {
			// 999 resamples against 20,000: bounds agree to a few percent of the interval's width.
			w := want.CI[q]
			tolerance := 0.12 * (w[1] - w[0])
			if math.Abs(ci[k].Lo-w[0]) > tolerance || math.Abs(ci[k].Hi-w[1]) > tolerance {
				t.Errorf("clusters %d, quantile %s: %v, the independent value is %v", i, q, ci[k], w)
			}
		}
	}
	if _, ok := NewClusters(make([][]float64, 9)).Intervals([]float64{0.5}, 1); ok {
		t.Error("nine environments have an interval")
	}
}

func TestPowerAgainstSimulation(t *testing.T) {
	for _, want := range loadModels(t).Power {
		rng := rand.New(rand.NewPCG(1, 2))
		values := make([]float64, 4000)
		for i := range values {
			values[i] = 3 + want.SD*rng.NormFloat64()
		}
		pair := NewSlower(values, want.Ratio)
		if got := pair.Power(want.N, 0.05); math.Abs(got-want.Power) > 0.03 {
			t.Errorf("sd %v, ratio %v, n %d: power %.3f, simulated %.3f", want.SD, want.Ratio, want.N, got, want.Power)
		}
		n, ok := pair.Needed(want.Power, 0.05, 100_000)
		if !ok || math.Abs(float64(n-want.N)) > 0.12*float64(want.N) {
			t.Errorf("sd %v, ratio %v: Needed says %d, but the simulation has this power with %d", want.SD, want.Ratio, n, want.N)
		}
	}
	flat := []float64{5, 5, 5, 5, 5, 5}
	if p := NewSlower(flat, 1).Power(50, 0.05); p > 0.06 {
		t.Errorf("power %v to tell an arm from itself", p)
	}
	if n, ok := NewSlower(flat, 1.1).Needed(0.8, 0.05, 1000); !ok || n > 6 {
		t.Errorf("%d needed to tell 5 from 5.5 without noise", n)
	}
	if _, ok := NewSlower(flat, 1).Needed(0.8, 0.05, 1000); ok {
		t.Error("Needed says that an arm can be told from itself")
	}
}

func TestOutliers(t *testing.T) {
	values := []float64{10, 11, 12, 10.5, 11.5, 10.2, 11.1, 40, 10.9, 11.2, 2}
	if got := NewSample(values).Outliers(); len(got) != 2 || got[0] != 7 || got[1] != 10 {
		t.Errorf("want the values 7 and 10 as outliers: %v", got)
	}
	if got := NewSample(append(make([]float64, 20), 5)).Outliers(); got != nil {
		t.Errorf("values without a spread have outliers: %v", got)
	}
}
