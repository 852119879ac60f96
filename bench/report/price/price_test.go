package price

import (
	"math"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// TestPublishedExample: the memory and cost example of the Power Tuning documentation, in USD per 1,000 runs.
func TestPublishedExample(t *testing.T) {
	r, ok := Default().Rate("us-east-1", arm.X8664)
	if !ok {
		t.Fatal("no price")
	}
	for _, c := range []struct {
		mb          int
		ms, per1000 float64
	}{{128, 11720, 0.0246}, {256, 6680, 0.0280}, {512, 3190, 0.0268}, {1024, 1460, 0.0246}} {
		if got := 1000 * (r.Invocation(c.mb, c.ms) - r.Request); math.Abs(got-c.per1000) > 0.0005 {
			t.Errorf("%d MB, %v ms: %.4f USD per 1,000, published %.4f", c.mb, c.ms, got, c.per1000)
		}
	}
}

func TestRounding(t *testing.T) {
	r := Rate{GBSecond: 1}
	if got := r.Invocation(1024, 1.01); got != 0.002 {
		t.Errorf("1.01 ms billed as %v s", got)
	}
	for _, c := range [][4]float64{{46, 43.6, 1.86, 46}, {2, 43.6, 1.86, 46}, {15, 111.94, 14.97, 127}, {0, 1, 2, 3}} {
		if got := BilledColdMs(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("BilledColdMs(%v) = %v", c, got)
		}
	}
}

// No price is guessed: a region or an architecture that the table lacks has no price.
func TestRegions(t *testing.T) {
	for _, c := range []struct {
		region   string
		of       arm.Architecture
		ok       bool
		region2  string
		currency string
	}{
		{"", arm.ARM64, true, "us-east-1", USD}, {"eu-west-1", arm.X8664, true, "eu-west-1", USD}, {"cn-north-1", arm.X8664, true, "cn-north-1", "CNY"},
		{"cn-north-1", arm.ARM64, false, "cn-north-1", "CNY"}, {"mars-north-1", arm.ARM64, false, "mars-north-1", USD}, {"us-east-1", "vax", false, "us-east-1", USD},
	} {
		r, ok := Default().Rate(c.region, c.of)
		if ok != c.ok || r.Region != c.region2 || r.Currency != c.currency || ok && r.AsOf == "" {
			t.Errorf("%s, %s: %+v, %v", c.region, c.of, r, ok)
		}
	}
	for data, want := range map[string]string{
		"x":  "reading prices",
		"{}": "have no regions",
		`{"as_of": "2026-11-21", "regions":{"us-east-1":{"gb_second":{"arm64":-1}}}}`: "not a price",
		`{"regions":{"il-central-1":{"gb_second":{"arm64":1}}}}`:                      "il-central-1 has no as_of",
	} {
		if _, err := Parse([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestPricesOfAnotherDateSaySo(t *testing.T) {
	if r, _ := Default().Rate("eu-west-1", arm.ARM64); r.AsOf == Default().AsOf {
		t.Error("prices of another date have the table's date")
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load("absent.json"); err == nil || !strings.Contains(err.Error(), "absent.json") {
		t.Error(err)
	}
	if got, err := Load("prices.json"); err != nil || got.AsOf != Default().AsOf {
		t.Error(err)
	}
}
