package dynamo

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// value is an AttributeValue: exactly one of its fields is set.
type value struct {
	S    *string          `json:",omitzero"`
	N    *string          `json:",omitzero"`
	B    *[]byte          `json:",omitzero"`
	BOOL *bool            `json:",omitzero"`
	NULL *bool            `json:",omitzero"`
	SS   []string         `json:",omitzero"`
	NS   []string         `json:",omitzero"`
	BS   [][]byte         `json:",omitzero"`
	L    []value          `json:",omitzero"`
	M    map[string]value `json:",omitzero"`
}

// item is an item or a key, by attribute.
type item = map[string]value

// size checks an item by DynamoDB's rules, writes its numbers as DynamoDB does, in place, and returns the item's size in
// bytes. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func size(of item, depth int) (sum int) {
	for name, v := range of {
		sum += len(name) + v.size(depth)
	}
	return sum
}

func (v value) size(depth int) (sum int) {
	if depth > 32 {
		refuse("Nesting Levels have exceeded supported limits")
	}
	set := 0
	is := func(there bool) bool {
		if there {
			set++
		}
		return there
	}
	if is(v.S != nil) {
		sum += len(*v.S)
	}
	if is(v.N != nil) {
		*v.N, _ = number(*v.N)
		sum += len(*v.N)/2 + 2
	}
	if is(v.B != nil) {
		sum += len(*v.B)
	}
	if is(v.BOOL != nil) {
		sum++
	}
	if is(v.NULL != nil) {
		if sum++; !*v.NULL {
			refuse("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
	}
	if is(v.SS != nil) {
		sum += sizeOfSet(v.SS)
	}
	if is(v.NS != nil) {
		for i, n := range v.NS {
			v.NS[i], _ = number(n)
		}
		sum += sizeOfSet(v.NS)
	}
	if is(v.BS != nil) {
		var texts []string
		for _, b := range v.BS {
			texts = append(texts, string(b))
		}
		sum += sizeOfSet(texts)
	}
	if is(v.L != nil) {
		sum += 3
		for _, e := range v.L {
			sum += 1 + e.size(depth+1)
		}
	}
	if is(v.M != nil) {
		sum += 3 + len(v.M) + size(v.M, depth+1)
	}
	if set != 1 {
		refuse("Supplied AttributeValue is empty or has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	return sum
}

func sizeOfSet(of []string) (sum int) {
	if sorted := slices.Sorted(slices.Values(of)); len(of) == 0 || len(slices.Compact(sorted)) < len(of) {
		refuse("One or more parameter values were invalid: a set may not be empty, and not contain duplicates")
	}
	for _, text := range of {
		sum += len(text)
	}
	return sum
}

var numeral = regexp.MustCompile(`^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$`)

// number returns a number as DynamoDB writes it, without an exponent, and as text whose order is that of numbers.
func number(text string) (plain, order string) {
	if !numeral.MatchString(text) {
		refuse("The parameter cannot be converted to a numeric value: %s", text)
	}
	f, _ := new(big.Float).SetPrec(256).SetString(text) // which holds 38 digits as they are
	digits, power, _ := strings.Cut(strings.TrimPrefix(f.Text('e', -1), "-"), "e")
	digits = strings.Replace(digits, ".", "", 1)
	exponent, err := strconv.Atoi(power)
	switch {
	case f.Sign() == 0:
		return "0", "1"
	case err != nil || exponent > 125 || exponent < -130 || len(digits) > 38:
		refuse("Number overflow or underflow, or more than 38 significant digits: %s", text)
	}
	key := append([]byte{byte(exponent + 130)}, digits...)
	if f.Sign() > 0 {
		return f.Text('f', -1), "2" + string(key)
	}
	for i := range key {
		key[i] = ^key[i]
	}
	return f.Text('f', -1), "0" + string(key) + "\xff" // of two that begin alike the shorter is the larger
}

// key returns a value as text in DynamoDB's order of keys; ok says whether it is of the kind: S, N or B.
func (v value) key(kind string) (text string, ok bool) {
	switch {
	case kind == "S" && v.S != nil:
		return *v.S, true
	case kind == "N" && v.N != nil:
		_, text = number(*v.N)
		return text, true
	case kind == "B" && v.B != nil:
		return string(*v.B), true
	}
	return "", false
}
