package power

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/measure"
)

// Payloads are the events of a tuning: one, or several with weights.
type Payloads struct {
	events  [][]byte
	weights []float64
}

// EachPayload sends one event per invocation, JSON, in order, and starts again after the last.
func EachPayload(events ...[]byte) Payloads {
	return Payloads{events: events, weights: slices.Repeat([]float64{1}, len(events))}
}

// payload reads the field payload.
func (r *reader) payload() Payloads {
	v, ok := r.values["payload"]
	if !ok {
		return EachPayload([]byte("null")) // as Power Tuning
	}
	p, err := payloadsOf(v)
	if err != nil {
		r.mistake("payload", err.Error())
	}
	return p
}

// ParsePayloads reads a file or an object of S3: JSON, which may be weighted, or any text, which is sent as a JSON
// string.
func ParsePayloads(data []byte, num int) (Payloads, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if !json.Valid(data) || d.Decode(&v) != nil {
		v = string(data)
	}
	p, err := payloadsOf(v)
	if err == nil {
		err = p.check(num)
	}
	return p, err
}

// payloadsOf takes a list for weighted payloads if all its entries are objects with payload and weight. Any other
// value is one event. If only some entries have both, that is an error.
func payloadsOf(v any) (p Payloads, err error) {
	list, _ := v.([]any)
	for i, x := range list {
		o, _ := x.(map[string]any)
		payload, has := o["payload"]
		if !has || o["weight"] == nil {
			continue
		}
		weight, ok := cast[json.Number](o["weight"])
		w, wrong := weight.Float64()
		if err == nil && (!ok || wrong != nil || !(w > 0) || math.IsInf(w, 0)) {
			err = fmt.Errorf("[%d].weight is %s: use a number above 0", i, show(o["weight"]))
		}
		p.events, p.weights = append(p.events, event(payload)), append(p.weights, w)
	}
	switch n := len(p.events); {
	case n == 0:
		return EachPayload(event(v)), nil
	case n < len(list):
		return Payloads{}, fmt.Errorf("is a list of which %d of %d entries have payload and weight: give each one {\"payload\": ..., \"weight\": ...}", n, len(list))
	}
	return p, err
}

// event returns what is sent. Text that is JSON is sent as it is, as in Power Tuning; other text becomes a JSON
// string.
func event(v any) []byte {
	if s, ok := v.(string); ok && json.Valid([]byte(s)) {
		return []byte(s)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return b
}

// check returns an error if a payload would not be sent within num invocations.
func (p Payloads) check(num int) error {
	if num < len(p.events) {
		return fmt.Errorf("has %d weighted entries and num is %d: raise num", len(p.events), num)
	}
	total := sum(p.weights)
	for i, w := range p.weights {
		if math.Floor(w*float64(num)/total) < 1 {
			return fmt.Errorf("[%d] has %g %% of the weight, less than one of %d invocations: raise num or its weight", i, 100*w/total, num)
		}
	}
	return nil
}

// turns gives out the payloads by weight, evenly, so that every part of a tuning has the same mix. Every power
// value gets the same sequence.
type turns struct {
	p     Payloads
	given []float64
	n     float64
}

func (p Payloads) turns() *turns { return &turns{p: p, given: make([]float64, len(p.events))} }

// next returns the event that is furthest behind its share.
func (t *turns) next() []byte {
	t.n++
	best, lag := 0, math.Inf(-1)
	total := sum(t.p.weights)
	for i, w := range t.p.weights {
		if l := w/total*t.n - t.given[i]; l > lag+1e-9 {
			best, lag = i, l
		}
	}
	t.given[best]++
	return t.p.events[best]
}

func sum(xs []float64) (s float64) {
	for _, x := range xs {
		s += x
	}
	return s
}

// splitS3 splits s3://bucket/key.
func splitS3(uri string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, found := strings.Cut(rest, "/")
	if ok && found {
		key, err = url.PathUnescape(key)
	}
	if !ok || !found || err != nil || bucket == "" || key == "" {
		return "", "", fmt.Errorf("%q is not s3://bucket/key", measure.OneLine(uri, 100))
	}
	return bucket, key, nil
}
