package power

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report/price"
)

// VisualizationBase is the page that draws a result; everything after # stays in the browser.
const VisualizationBase = "https://lambda-power-tuning.show/"

// visualizationBase is that page with its axis in the currency; for amounts that are not in USD alone, as with Power Tuning.
func visualizationBase(currency string) string {
	if currency == price.USD {
		return VisualizationBase
	}
	return VisualizationBase + "?currency=" + currency
}

// Curve is what the page draws: time and cost against memory.
type Curve struct {
	Name  string  // of a comparison
	Sizes []int16 // MB, ascending; 10240 at most
	Times []float32
	Costs []float32 // of an invocation
}

// CurveOf is the curve of the power values that did not fail.
func CurveOf(name string, values []Value) Curve {
	c := Curve{Name: name}
	sorted := slices.SortedFunc(slices.Values(values), func(a, b Value) int { return a.Value - b.Value })
	for _, v := range sorted {
		if v.Failed == "" {
			c.Sizes = append(c.Sizes, int16(v.Value))
			c.Times = append(c.Times, float32(v.AverageDuration))
			c.Costs = append(c.Costs, float32(v.AveragePrice))
		}
	}
	return c
}

// URL is the page of one curve: sizes as int16, times and costs as float32, little endian, each in base64.
func (c Curve) URL(base string) string { return base + "#" + c.encode() }

// CompareURL is the page of two curves with their names.
func CompareURL(base string, a, b Curve) string {
	return base + "#" + strings.Join([]string{a.encode(), b.encode(), url.PathEscape(a.Name), url.PathEscape(b.Name)}, ";")
}

func (c Curve) encode() string {
	return strings.Join([]string{pack(c.Sizes), pack(c.Times), pack(c.Costs)}, ";")
}

func pack(numbers any) string {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, numbers); err != nil {
		panic(err) // slices of fixed-size numbers
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
