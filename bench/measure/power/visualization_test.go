package power

import (
	"slices"
	"testing"
)

// published is the example in Power Tuning's documentation.
const published = "https://lambda-power-tuning.show/#gAAAAQACAAQABsAL;ZooQR4yvkUa/pQRGRC5zRaADHUVjOftE;QdWhOEMkoziDT5Q4xhiIOMYYiDi6RNc4"

func TestVisualizationRoundTrip(t *testing.T) {
	curves, err := ParseVisualization(published)
	if err != nil || len(curves) != 1 {
		t.Fatal(err)
	}
	if !slices.Equal(curves[0].Sizes, []int16{128, 256, 512, 1024, 1536, 3008}) || curves[0].Times[0] < 37000 || curves[0].Times[0] > 37100 {
		t.Errorf("want the published curve: %+v", curves[0])
	}
	if got := curves[0].URL(VisualizationBase); got != published {
		t.Errorf("want the published URL: %s", got)
	}
	a, b := curves[0], Curve{Name: "b;é 100%", Sizes: []int16{10240}, Times: []float32{1.5}, Costs: []float32{2e-9}}
	a.Name = "a b"
	both, err := ParseVisualization(CompareURL(VisualizationBase, a, b))
	if err != nil || len(both) != 2 || both[0].Name != a.Name || both[1].Name != b.Name || !slices.Equal(both[1].Costs, b.Costs) || !slices.Equal(both[0].Times, a.Times) {
		t.Errorf("want both curves as they were: %+v, %v", both, err)
	}
}

func TestTextThatIsNotAVisualization(t *testing.T) {
	for _, text := range []string{"", "x", "#", "#a;b", "#a;b;c", "#gAA=;AAAA;AAAA", "#gAA=;AADAfw==;AAAAAA==", "#AAA=;AAAAAA==;AAAAAA==", published + ";a;b;c;d", published[:60]} {
		if c, err := ParseVisualization(text); err == nil {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func FuzzParseVisualization(f *testing.F) {
	f.Add(published)
	f.Fuzz(func(t *testing.T, text string) {
		curves, err := ParseVisualization(text)
		if err == nil && len(curves) == 1 {
			if _, err := ParseVisualization(curves[0].URL("x")); err != nil {
				t.Error(err)
			}
		}
	})
}
