package dynamo

import (
	"encoding/json"
	"slices"
	"strings"
)

var operations = map[string]func(*Server, *request) any{
	"BatchWriteItem": (*Server).batchWrite, "GetItem": (*Server).getItem,
	"PutItem": (*Server).putItem, "Query": (*Server).query,
}

// request holds the parameters of all operations.
type request struct {
	TableName, IndexName                 string
	Key, Item, ExpressionAttributeValues item
	KeyConditionExpression               string
	ExpressionAttributeNames             map[string]string
	ConsistentRead                       bool
	RequestItems                         map[string][]struct{ PutRequest struct{ Item item } }
}

func (s *Server) getItem(r *request) any {
	t := s.table(r.TableName)
	if t.check(r.Key); len(r.Key) != len(t.indexes[0].keys) {
		refuse("The provided key element does not match the schema")
	}
	if of := t.get(r.Key); of != nil {
		return map[string]json.RawMessage{"Item": of}
	}
	return struct{}{}
}

func (s *Server) putItem(r *request) any {
	t := s.table(r.TableName)
	t.check(r.Item)
	s.put(t, r.Item)
	return struct{}{}
}

// put puts an item that was checked into a table.
func (s *Server) put(t *table, of item) {
	if s.size > maxBytes {
		refuse("the lab's tables hold %d MB and are full: start the lab again", maxBytes>>20)
	}
	s.size += t.put(of)
}

func (s *Server) batchWrite(r *request) any {
	n, seen := 0, map[string]bool{}
	for name, puts := range r.RequestItems {
		t := s.table(name)
		for _, put := range puts {
			of := put.PutRequest.Item
			t.check(of)
			_, at, _ := t.place(t.indexes[0], of)
			n++
			seen[t.name+"/"+at.id] = true
		}
	}
	switch {
	case n == 0 || n > 25:
		refuse("Too many items requested, or none, for the batch: it takes 1 to 25")
	case len(seen) < n:
		refuse("Provided list of item keys contains duplicates")
	}
	for name, puts := range r.RequestItems {
		for _, put := range puts {
			s.put(s.table(name), put.PutRequest.Item)
		}
	}
	return map[string]any{"UnprocessedItems": struct{}{}}
}

// maxAnswer is the most bytes of items in an answer. DynamoDB answers a larger query in pages.
const maxAnswer = 1 << 20

func (s *Server) query(r *request) any {
	t := s.table(r.TableName)
	i := slices.IndexFunc(t.indexes, func(x *index) bool {
		return x.IndexName == r.IndexName && x.Projection.ProjectionType == "ALL"
	})
	switch {
	case i < 0:
		refuse("The table does not have the specified index: %s, or not with projection ALL", r.IndexName)
	case r.ConsistentRead && i > 0:
		refuse("Consistent reads are not supported on global secondary indexes")
	}
	conditions := parse(r.KeyConditionExpression, r.ExpressionAttributeNames, r.ExpressionAttributeValues)
	items, bytes := []json.RawMessage{}, 0
	for _, row := range t.indexes[i].selected(conditions) {
		items = append(items, row.item)
		bytes += len(row.item)
	}
	if bytes > maxAnswer {
		refuse("the lab's DynamoDB cannot answer a query with more than 1 MB: name another DynamoDB with " +
			"--allow dynamodb=URL")
	}
	return map[string]any{"Count": len(items), "ScannedCount": len(items), "Items": items}
}

// selected returns the rows that meet the conditions. by has the conditions by attribute.
func (x *index) selected(by map[string]condition) []row {
	partition, there := by[x.keys[0]]
	if !there || partition.Operator != "=" {
		refuse("Query condition missed key schema element: %s", x.keys[0])
	}
	rows := slices.Clone(x.rows[partition.Operands[0]])
	if len(by) == 1 {
		return rows
	}
	sort, there := by[x.keys[len(x.keys)-1]]
	if !there || len(x.keys) != len(by) || len(sort.Operands) == 2 && sort.Operands[0] > sort.Operands[1] {
		refuse("Query key condition not supported")
	}
	return slices.DeleteFunc(rows, func(r row) bool { return !sort.holds(r.sort) })
}

// holds reports whether a sort key meets the condition.
func (c condition) holds(key string) bool {
	switch value := c.Operands[0]; c.Operator {
	case "=":
		return key == value
	case "<":
		return key < value
	case "<=":
		return key <= value
	case ">":
		return key > value
	case ">=":
		return key >= value
	case begins:
		return strings.HasPrefix(key, value)
	}
	return c.Operands[0] <= key && key <= c.Operands[1] // BETWEEN
}
