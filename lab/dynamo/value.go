package dynamo

import (
	"encoding/base64"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// item is an item or a key as it is on the wire: AttributeValues such as {"S":"a"}, by attribute.
type item = map[string]any

// size checks an item by DynamoDB's rules, writes its numbers as DynamoDB does, in place, and returns the item's size in
// bytes. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func size(of item, depth int) (sum int) {
	for name, v := range of {
		sum += len(name) + sizeOf(v, depth)
	}
	return sum
}

func sizeOf(v any, depth int) (sum int) {
	value, _ := v.(item)
	if len(value) != 1 || depth > 32 {
		refuse("Supplied AttributeValue is empty, has more than one datatypes set, or is nested too deeply")
	}
	for kind, v := range value {
		text, isText := v.(string)
		yes, isBool := v.(bool)
		list, isList := v.([]any)
		members, isMap := v.(item)
		switch {
		case isText && kind == "S":
			return len(text)
		case isText && kind == "N":
			value[kind], _ = number(text)
			return len(value[kind].(string))/2 + 2
		case isText && kind == "B":
			return len(decoded(text))
		case isBool && (kind == "BOOL" || kind == "NULL" && yes):
			return 1
		case isMap && kind == "M":
			return 3 + len(members) + size(members, depth+1)
		case isList && kind == "L":
			for _, e := range list {
				sum += 1 + sizeOf(e, depth+1)
			}
			return sum + 3
		case len(list) > 0 && (kind == "SS" || kind == "NS" || kind == "BS"):
			seen := map[any]bool{}
			for i, e := range list {
				one := item{kind[:1]: e}
				sum += sizeOf(one, depth)
				list[i] = one[kind[:1]]
				seen[list[i]] = true
			}
			if len(seen) == len(list) {
				return sum
			}
		}
	}
	refuse("One or more parameter values were invalid: a value is not of its type, is an empty set, or a set with duplicates")
	return 0
}

func decoded(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		refuse("One or more parameter values were invalid: a binary value is not base64")
	}
	return string(raw)
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
	exponent, _ := strconv.Atoi(power)
	if f.Sign() == 0 {
		return "0", "1"
	}
	if exponent > 125 || exponent < -130 || len(digits) > 38 {
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

// key returns an AttributeValue as text in DynamoDB's order of keys; ok says whether it is of the kind: S, N or B.
func key(v any, kind string) (text string, ok bool) {
	value, _ := v.(item)
	text, ok = value[kind].(string)
	switch {
	case ok && kind == "N":
		_, text = number(text)
	case ok && kind == "B":
		text = decoded(text)
	}
	return text, ok
}
