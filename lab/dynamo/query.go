package dynamo

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxPage is the most bytes of items that a query answers at once.
const maxPage = 1 << 20

// begins is the operator begins_with, in the capitals of the others.
const begins = "BEGINS_WITH"

func (s *Server) query(r *request) any {
	t := s.table(r.TableName)
	i := slices.IndexFunc(t.indexes, func(x *index) bool { return x.IndexName == r.IndexName && x.Projection.ProjectionType == "ALL" })
	switch {
	case i < 0:
		refuse("The table does not have the specified index: %s, or not with projection ALL", r.IndexName)
	case r.ConsistentRead && i > 0 && i <= len(t.about.GlobalSecondaryIndexes):
		refuse("Consistent reads are not supported on global secondary indexes")
	case r.Limit != nil && *r.Limit < 1:
		refuse("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *r.Limit)
	}
	x := t.indexes[i]
	size(r.ExpressionAttributeValues, 1)
	partition, side := t.selected(x, parse(r.KeyConditionExpression, r.ExpressionAttributeNames, r.ExpressionAttributeValues))
	rows := x.rows[partition]
	from, _ := slices.BinarySearchFunc(rows, 0, side)
	to, _ := slices.BinarySearchFunc(rows, 1, side)
	backward := r.ScanIndexForward != nil && !*r.ScanIndexForward
	if key := r.ExclusiveStartKey; key != nil {
		size(key, 1)
		in, after, ok := t.place(x, key)
		if _, _, primary := t.place(t.indexes[0], key); !ok || !primary || in != partition || len(key) != len(t.names(x)) {
			refuse("The provided starting key is invalid, or outside query boundaries")
		}
		at, found := slices.BinarySearchFunc(rows, after, row.compare)
		if backward {
			to = min(to, at)
		} else if from = max(from, at); found {
			from = max(from, at+1)
		}
	}
	rows = slices.Clone(rows[from:max(from, to)])
	if backward {
		slices.Reverse(rows)
	}
	return t.page(x, rows, r)
}

// selected returns the partition that a query asks for, and a function that says how a row's place (before -1, in 0,
// behind 1) in the range that it asks for differs from another.
func (t *table) selected(x *index, by map[string]asked) (partition string, side func(row, int) int) {
	var sort asked
	var bounds []string
	for i, name := range x.keys {
		a, there := by[name]
		if !there && (i == 0 || len(by) > 1) {
			refuse("Query condition missed key schema element: %s", name)
		}
		var texts []string
		for _, operand := range a.operands {
			text, ok := key(operand, t.kinds[name])
			if !ok || text == "" {
				refuse("One or more parameter values were invalid: Condition parameter type does not match schema type, or is empty: %s", name)
			}
			texts = append(texts, text)
		}
		if i == 0 {
			partition = texts[0]
		}
		if i == 0 && a.operator != "=" || len(by) > len(x.keys) || a.operator == begins && t.kinds[name] == "N" || len(texts) == 2 && texts[0] > texts[1] {
			refuse("Query key condition not supported")
		}
		sort, bounds = a, texts
	}
	if len(by) < 2 {
		return partition, func(_ row, of int) int { return -of }
	}
	low, high := bounds[0], bounds[len(bounds)-1]
	return partition, func(r row, of int) int {
		before, behind := r.sort < low, r.sort > high
		equal := r.sort == low && len(sort.operator) == 1 // < and > leave it out
		switch {
		case strings.HasPrefix(sort.operator, "<"):
			before, behind = false, behind || equal
		case strings.HasPrefix(sort.operator, ">"):
			before, behind = before || equal, false
		case sort.operator == begins:
			behind = behind && !strings.HasPrefix(r.sort, low)
		}
		if before {
			return -1 - of
		} else if behind {
			return 1 - of
		}
		return -of
	}
}

// names returns the attributes that name a row of an index: the table's keys and the index's.
func (t *table) names(x *index) []string {
	names := slices.Concat(t.indexes[0].keys, x.keys)
	slices.Sort(names)
	return slices.Compact(names)
}

// page answers with the first of rows.
func (t *table) page(x *index, rows []row, r *request) any {
	items, bytes := []json.RawMessage{}, 0
	for _, row := range rows {
		if bytes += len(row.item); len(items) > 0 && bytes > maxPage || r.Limit != nil && len(items) == *r.Limit {
			break
		}
		items = append(items, row.item)
	}
	answer := map[string]any{"Count": len(items), "ScannedCount": len(items)}
	if r.Select != "COUNT" {
		answer["Items"] = items
	}
	if n := len(items); n > 0 && (n < len(rows) || r.Limit != nil && n == *r.Limit) {
		last, key := read(items[n-1]), item{}
		for _, name := range t.names(x) {
			key[name] = last[name]
		}
		answer["LastEvaluatedKey"] = key
	}
	return answer
}
