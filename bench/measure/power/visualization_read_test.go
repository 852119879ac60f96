package power

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"strings"
)

// ParseVisualization returns the curve of a URL, or the two curves of a comparison's URL.
func ParseVisualization(text string) ([]Curve, error) {
	_, hash, found := strings.Cut(text, "#")
	parts := strings.Split(hash, ";")
	if !found || (len(parts) != 3 && len(parts) != 8) {
		return nil, fmt.Errorf("reading a visualization URL: it has %d parts between semicolons after the #, not 3 or 8", len(parts))
	}
	var curves []Curve
	for i := 0; i+3 <= len(parts) && i < 6; i += 3 {
		c, err := decode(parts[i], parts[i+1], parts[i+2])
		if err != nil {
			return nil, fmt.Errorf("reading a visualization URL: %w", err)
		}
		curves = append(curves, c)
	}
	if len(parts) == 8 {
		for i := range curves {
			name, err := url.PathUnescape(parts[6+i])
			if err != nil {
				return nil, fmt.Errorf("reading a visualization URL: name %d: %w", i+1, err)
			}
			curves[i].Name = name
		}
	}
	return curves, nil
}

func decode(sizes, times, costs string) (c Curve, err error) {
	s, err := unpack[int16](sizes, 2)
	if err != nil {
		return c, fmt.Errorf("sizes: %w", err)
	}
	if c.Times, err = unpack[float32](times, 4); err != nil {
		return c, fmt.Errorf("times: %w", err)
	}
	if c.Costs, err = unpack[float32](costs, 4); err != nil {
		return c, fmt.Errorf("costs: %w", err)
	}
	if len(s) != len(c.Times) || len(s) != len(c.Costs) {
		return c, fmt.Errorf("%d sizes, %d times and %d costs", len(s), len(c.Times), len(c.Costs))
	}
	for i, x := range s {
		if x <= 0 || bad(c.Times[i]) || bad(c.Costs[i]) {
			return c, fmt.Errorf("entry %d is %d MB, %v ms, %v USD", i+1, x, c.Times[i], c.Costs[i])
		}
		c.Sizes = append(c.Sizes, x)
	}
	return c, nil
}

func bad(x float32) bool { return !(x >= 0) || math.IsInf(float64(x), 0) }

func unpack[T any](text string, width int) ([]T, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(raw)%width != 0 {
		return nil, fmt.Errorf("%d bytes, of %d each", len(raw), width)
	}
	out := make([]T, len(raw)/width)
	return out, binary.Read(bytes.NewReader(raw), binary.LittleEndian, out)
}
