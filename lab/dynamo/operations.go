package dynamo

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/lab/assembly"
)

// operation is an operation on one table, or on several at once.
type operation struct {
	writes bool
	one    func(*Server, *table, *request) any
	batch  func(*Server, *request) any
}

var operations = map[string]operation{
	"GetItem":        {one: (*Server).getItem},
	"Query":          {one: (*Server).query},
	"DescribeTable":  {one: (*Server).describe},
	"PutItem":        {one: (*Server).putItem, writes: true},
	"DeleteItem":     {one: (*Server).deleteItem, writes: true},
	"BatchGetItem":   {batch: (*Server).batchGet},
	"BatchWriteItem": {batch: (*Server).batchWrite, writes: true},
}

// answered is an answer with an item, or an empty one.
func answered(as string, of json.RawMessage) any {
	if of == nil {
		return struct{}{}
	}
	return map[string]json.RawMessage{as: of}
}

func (s *Server) getItem(t *table, r *request) any {
	t.checkKey(r.Key)
	return answered("Item", t.get(r.Key))
}

func (s *Server) putItem(t *table, r *request) any {
	t.check(r.Item)
	return s.write(t, r.Item, r.Item, r.ReturnValues)
}

func (s *Server) deleteItem(t *table, r *request) any {
	t.checkKey(r.Key)
	return s.write(t, r.Key, nil, r.ReturnValues)
}

// write puts an item in the place of a key, or deletes what is there if it is nil.
func (s *Server) write(t *table, key, by item, returning string) any {
	if !slices.Contains([]string{"", "NONE", "ALL_OLD"}, returning) {
		refuse("ReturnValues can only be ALL_OLD or NONE")
	}
	if by != nil && s.size > maxBytes {
		refuse("the lab's tables hold %d MB and are full: delete items, or start the lab anew", maxBytes>>20)
	}
	old, grown := t.replace(key, by)
	if s.size += grown; returning != "ALL_OLD" {
		old = nil
	}
	return answered("Attributes", old)
}

func (s *Server) describe(t *table, _ *request) any {
	items, bytes := 0, 0
	for _, rows := range t.indexes[0].rows {
		for _, row := range rows {
			items, bytes = items+1, bytes+len(row.item)
		}
	}
	return map[string]any{"Table": struct {
		assembly.Table
		TableStatus, TableArn     string
		ItemCount, TableSizeBytes int
	}{t.about, "ACTIVE", assembly.TableARN(t.about.TableName), items, bytes}}
}

// part is a part of a batch.
type part struct {
	of      *table
	name    string // the table's, as the request has it
	key, by item
}

// parts reads a batch, table by table, and refuses one with wrong parts, too many, or one twice.
func parts[T any](s *Server, r *request, most int, of func(*table, string, T) []part) (all []part) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(r.RequestItems)) {
		var text T
		t := s.table(name)
		decode(r.RequestItems[name], &text)
		for _, p := range of(t, name, text) {
			if p.by != nil {
				t.check(p.by)
			} else {
				t.checkKey(p.key)
			}
			_, at, _ := t.place(t.indexes[0], p.key)
			if id := strconv.Quote(t.about.TableName) + at.id; seen[id] {
				refuse("Provided list of item keys contains duplicates")
			} else {
				seen[id] = true
			}
			all = append(all, p)
		}
	}
	if len(all) == 0 || len(all) > most {
		refuse("Too many items requested, or none, for the batch: 1 to %d", most)
	}
	return all
}

type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

func (s *Server) batchWrite(r *request) any {
	for _, p := range parts(s, r, 25, func(t *table, name string, writes []writeRequest) (all []part) {
		for _, w := range writes {
			switch {
			case (w.PutRequest == nil) == (w.DeleteRequest == nil):
				refuse("Supplied request is neither a PutRequest nor a DeleteRequest")
			case w.PutRequest != nil:
				all = append(all, part{t, name, w.PutRequest.Item, w.PutRequest.Item})
			default:
				all = append(all, part{t, name, w.DeleteRequest.Key, nil})
			}
		}
		return all
	}) {
		s.write(p.of, p.key, p.by, "")
	}
	return map[string]any{"UnprocessedItems": struct{}{}}
}

type readRequest struct {
	Keys           []item
	ConsistentRead bool `json:",omitzero"`
}

func (s *Server) batchGet(r *request) any {
	responses, left, bytes := map[string][]json.RawMessage{}, map[string]readRequest{}, 0
	for _, p := range parts(s, r, 100, func(t *table, name string, read readRequest) (all []part) {
		responses[name] = []json.RawMessage{}
		for _, key := range read.Keys {
			all = append(all, part{t, name, key, nil})
		}
		return all
	}) {
		found := p.of.get(p.key)
		if bytes += len(found); bytes > 16*maxPage {
			left[p.name] = readRequest{Keys: append(left[p.name].Keys, p.key)}
		} else if found != nil {
			responses[p.name] = append(responses[p.name], found)
		}
	}
	return map[string]any{"Responses": responses, "UnprocessedKeys": left}
}
