package power

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Payloads are the events of a tuning: one, or several with weights.
type Payloads struct {
	events  [][]byte
	weights []float64
}

// EachPayload sends one event per invocation, in order, and starts again after the last. Events are JSON.
func EachPayload(events ...[]byte) Payloads {
	return Payloads{events: events, weights: slices.Repeat([]float64{1}, len(events))}
}

func (r *reader) payload() Payloads {
	v, ok := r.values["payload"]
	if !ok {
		return EachPayload([]byte("null")) // as Power Tuning
	}
	p, err := payloadsOf(v)
	if err != nil {
		r.mistake("payload", "%v", err)
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

// payloadsOf returns weighted payloads if v is a list of objects that all have payload and weight. If only some of them
// have both, it returns an error. Any other value is one event.
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
		return Payloads{}, fmt.Errorf("is a list of which %d of %d entries have payload and weight: "+
			`give each one {"payload": ..., "weight": ...}`, n, len(list))
	}
	return p, err
}

// event returns the bytes to send. Text that is valid JSON is sent as it is, as in Power Tuning; other text becomes a
// JSON string.
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
	total := floats.Sum(p.weights)
	for i, w := range p.weights {
		if math.Floor(w*float64(num)/total) < 1 {
			return fmt.Errorf("[%d] has %g %% of the weight, less than one of %d invocations: raise num or its weight",
				i, 100*w/total, num)
		}
	}
	return nil
}
