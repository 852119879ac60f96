package power

import (
	"bytes"
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
			return nil, mistaken("it is empty: give a JSON object with lambdaARN and num")
		}
		at := d.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = syntax.Offset - 1 // counted from 0
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			at = int64(len(data))
		}
		return nil, mistaken("it is not JSON: %v (at byte %d)", err, at)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, mistaken("unexpected data after the JSON object at byte %d", d.InputOffset())
	}
	values, ok := document.(map[string]any)
	if !ok {
		return nil, mistaken("it is %s: give a JSON object with lambdaARN and num", show(document))
	}
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	return &reader{values: values, wrong: map[string]bool{}}, nil
}

// mistake notes what is wrong with a field.
func (r *reader) mistake(field, format string, args ...any) {
	r.wrong[field] = true
	r.mistakes = append(r.mistakes, field+" "+fmt.Sprintf(format, args...))
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
			r.mistake(measure.OneLine(key, 40), "does not exist: did you mean %s?", fields[i])
			continue
		}
		in.warn("field %q is unknown and has no effect", measure.OneLine(key, 40))
	}
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
