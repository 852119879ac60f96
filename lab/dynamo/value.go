package dynamo

import (
	"encoding/base64"
	"regexp"
	"slices"
)

// item is an item or a key as on the wire: AttributeValues by attribute, for example {"S":"a"}.
type item = map[string]any

var numeral = regexp.MustCompile(`^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$`)

// check refuses an AttributeValue that DynamoDB would refuse. It does not normalize numbers.
func check(v any, depth int) {
	value, _ := v.(item)
	if len(value) != 1 || depth > 32 {
		refuse("Supplied AttributeValue is empty, has more than one datatypes set, or is nested too deeply")
	}
	fine := false
	for kind, v := range value {
		switch v := v.(type) {
		case string:
			_, err := base64.StdEncoding.DecodeString(v)
			fine = kind == "S" || kind == "N" && numeral.MatchString(v) || kind == "B" && err == nil
		case bool:
			fine = kind == "BOOL" || kind == "NULL" && v
		case item:
			for _, member := range v {
				check(member, depth+1)
			}
			fine = kind == "M"
		case []any:
			seen, isSet := map[any]bool{}, slices.Contains([]string{"SS", "NS", "BS"}, kind)
			for _, member := range v {
				if !isSet {
					check(member, depth+1)
					continue
				}
				check(item{kind[:1]: member}, depth)
				seen[member] = true
			}
			fine = kind == "L" || isSet && len(v) > 0 && len(seen) == len(v)
		}
	}
	if !fine {
		refuse("One or more parameter values were invalid: a value is not of its type, is an empty set, or is a set " +
			"with duplicates")
	}
}

// text returns the text of an AttributeValue of type S; ok is false for another type.
func text(v any) (of string, ok bool) {
	value, _ := v.(item)
	of, ok = value["S"].(string)
	return of, ok
}
