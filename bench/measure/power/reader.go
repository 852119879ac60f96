package power

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/twinstart/twinstart/bench/measure"
)

// reader reads the fields of an input and collects the mistakes. A field that is null counts as absent.
type reader struct {
	values   map[string]any // numbers as json.Number
	mistakes []string
	wrong    map[string]bool
}

func newReader(data []byte) (*reader, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		if err == io.EOF {
			return nil, &InputError{[]string{"it is empty: give a JSON object with lambdaARN and num"}}
		}
		at := d.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = syntax.Offset - 1 // counted from 0
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			at = int64(len(data))
		}
		return nil, &InputError{[]string{fmt.Sprintf("it is not JSON: %v (at byte %d)", err, at)}}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &InputError{[]string{fmt.Sprintf("unexpected data after the JSON object at byte %d", d.InputOffset())}}
	}
	values, ok := document.(map[string]any)
	if !ok {
		return nil, &InputError{[]string{"it is " + show(document) + ": give a JSON object with lambdaARN and num"}}
	}
	for key, v := range values {
		if v == nil {
			delete(values, key)
		}
	}
	return &reader{values: values, wrong: map[string]bool{}}, nil
}

func (r *reader) mistake(field, what string) {
	r.wrong[field] = true
	r.mistakes = append(r.mistakes, field+" "+what)
}

func (r *reader) failed(field string) bool { return r.wrong[field] }

func (r *reader) has(field string) bool { _, ok := r.values[field]; return ok }

// unknown reports fields that do not exist: as a mistake if the name is close to an existing one, else as a
// warning.
func (r *reader) unknown(in *Input) {
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if slices.Contains(fields, key) {
			continue
		}
		if key == "lmiConfig" {
			r.mistake(key, "is about Lambda Managed Instances, which are not tuned here: remove it")
			continue
		}
		i := slices.IndexFunc(fields, func(f string) bool {
			d := levenshtein.Distance(strings.ToLower(f), strings.ToLower(key), nil)
			return d == 0 || d <= 2 && len(f) > 4
		})
		if i >= 0 {
			r.mistake(measure.OneLine(key, 40), "does not exist: did you mean "+fields[i]+"?")
			continue
		}
		in.Warnings = append(in.Warnings, fmt.Sprintf("field %q is unknown and has no effect", measure.OneLine(key, 40)))
	}
}

// read returns a field, converted by as, or otherwise if the field is absent. If it cannot be converted, should
// becomes part of the mistake.
func read[T any](r *reader, field string, otherwise T, should string, as func(any) (T, bool)) T {
	v, is := r.values[field]
	if !is {
		return otherwise
	}
	x, ok := as(v)
	if !ok {
		r.mistake(field, "is "+show(v)+": "+should)
		return otherwise
	}
	return x
}

func cast[T any](v any) (T, bool) { x, ok := v.(T); return x, ok }

func (r *reader) text(field, otherwise string) string {
	return read(r, field, otherwise, "give text", cast[string])
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

// oneOf returns a field that must have an allowed value. If it is absent or empty, oneOf returns the first of them.
func (r *reader) oneOf(field string, allowed ...string) string {
	s := cmp.Or(r.text(field, allowed[0]), allowed[0])
	if !slices.Contains(allowed, s) && !r.failed(field) {
		r.mistake(field, fmt.Sprintf("is %q: use %s", measure.OneLine(s, 40), strings.Join(allowed, ", ")))
	}
	return s
}

// boolean returns whether JavaScript would take the value for true, as Power Tuning does. The text "false" would be
// true, which nobody can mean, so it is a mistake.
func (r *reader) boolean(field string) bool {
	switch v := r.values[field].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		if strings.EqualFold(v, "false") || strings.EqualFold(v, "no") {
			r.mistake(field, "is the text "+strconv.Quote(v)+", which Power Tuning takes for true: use false without quotes")
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
func (r *reader) integer(in *Input, field string, otherwise, least, most int) int {
	x := read(r, field, float64(otherwise), fmt.Sprintf("use a whole number from %d to %d", least, most), func(v any) (float64, bool) {
		x, ok := numeric(v)
		return x, ok && x >= float64(least) && x < float64(most)+1
	})
	return int(r.counts(in, field, x, math.Trunc(x)))
}

// number moves a value that is out of bounds to the nearest bound, as Power Tuning does.
func (r *reader) number(in *Input, field string, otherwise, least, most float64) float64 {
	x := read(r, field, otherwise, fmt.Sprintf("use a number from %g to %g", least, most), numeric)
	return r.counts(in, field, x, min(max(x, least), most))
}

// counts adds a warning if a value is replaced by another.
func (r *reader) counts(in *Input, field string, x, as float64) float64 {
	if as != x {
		in.Warnings = append(in.Warnings, fmt.Sprintf("%s is %s: it counts as %s", field, show(r.values[field]), strconv.FormatFloat(as, 'f', -1, 64)))
	}
	return as
}

// numeric accepts a number, or text that contains one.
func numeric(v any) (float64, bool) {
	text, isText := v.(string)
	n, isNumber := v.(json.Number)
	if isNumber {
		text = string(n)
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return x, err == nil && (isText || isNumber) && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// whole accepts a number without a fraction, such as 128.0 or "128".
func whole(v any) (int, bool) {
	x, ok := numeric(v)
	if !ok || x != math.Trunc(x) || math.Abs(x) > 1<<31 {
		return 0, false
	}
	return int(x), true
}

// show describes a value in a message, briefly.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the text %q", measure.OneLine(v, 40))
	case json.Number:
		return measure.OneLine(string(v), 40)
	case bool:
		return fmt.Sprint(v)
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	return "an object"
}
