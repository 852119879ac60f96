package power

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/bench/measure"
)

// read converts a field. If the field is absent, it returns fallback. If the field cannot be converted, it notes a
// mistake, which ends with advice.
func read[T any](r *reader, field string, fallback T, advice string, convert func(any) (T, bool)) T {
	v, is := r.values[field]
	if !is {
		return fallback
	}
	x, ok := convert(v)
	if !ok {
		r.mistake(field, "is %s: %s", show(v), advice)
		return fallback
	}
	return x
}

func cast[T any](v any) (T, bool) { x, ok := v.(T); return x, ok }

func (r *reader) text(field, fallback string) string {
	return read(r, field, fallback, "give text", cast[string])
}

func (r *reader) texts(field string) []string {
	return read(r, field, nil, "give a list of text", func(v any) (out []string, ok bool) {
		list, ok := v.([]any)
		for _, x := range list {
			s, isText := x.(string)
			out, ok = append(out, s), ok && isText
		}
		return out, ok
	})
}

// oneOf returns a field that must have an allowed value. If it is absent or empty, oneOf returns the first allowed one.
func (r *reader) oneOf(field string, allowed ...string) string {
	s := cmp.Or(r.text(field, allowed[0]), allowed[0])
	if !slices.Contains(allowed, s) && !r.failed(field) {
		r.mistake(field, "is %q: use %s", measure.OneLine(s, 40), strings.Join(allowed, ", "))
	}
	return s
}

// boolean returns whether the value is true in JavaScript, as in Power Tuning. There the text "false" is true, which
// no user means, so it is a mistake here.
func (r *reader) boolean(field string) bool {
	switch v := r.values[field].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		if strings.EqualFold(v, "false") || strings.EqualFold(v, "no") {
			r.mistake(field, "is the text %q, which Power Tuning takes for true: use false without quotes", v)
		}
		return v != ""
	case json.Number:
		x, err := v.Float64()
		return err == nil && x != 0
	default: // lists and objects are true
		return true
	}
}

// integer cuts off a fraction, as Power Tuning does.
func (r *reader) integer(in *Input, field string, fallback, least, most int) int {
	advice := fmt.Sprintf("use a whole number from %d to %d", least, most)
	x := read(r, field, float64(fallback), advice, func(v any) (float64, bool) {
		x, ok := numeric(v)
		return x, ok && x >= float64(least) && x < float64(most)+1
	})
	return int(r.counts(in, field, x, math.Trunc(x)))
}

// number moves a value that is out of bounds to the nearest bound, as Power Tuning does.
func (r *reader) number(in *Input, field string, fallback, least, most float64) float64 {
	x := read(r, field, fallback, fmt.Sprintf("use a number from %g to %g", least, most), numeric)
	return r.counts(in, field, x, min(max(x, least), most))
}

// counts returns used, the value that counts in place of x. If the two differ, it adds a warning.
func (r *reader) counts(in *Input, field string, x, used float64) float64 {
	if used != x {
		in.warn("%s is %s: it counts as %s", field, show(r.values[field]), strconv.FormatFloat(used, 'f', -1, 64))
	}
	return used
}
