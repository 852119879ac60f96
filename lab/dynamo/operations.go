package dynamo

import (
	"encoding/json"

	"github.com/twinstart/twinstart/lab/assembly"
)

var operations = map[string]func(*Server, *request) any{
	"BatchGetItem": (*Server).batchGet, "BatchWriteItem": (*Server).batchWrite, "DeleteItem": (*Server).deleteItem,
	"DescribeTable": (*Server).describe, "GetItem": (*Server).getItem, "PutItem": (*Server).putItem, "Query": (*Server).query,
}

// answered is an answer with an item, or an empty one.
func answered(as string, of json.RawMessage) any {
	if of == nil {
		return struct{}{}
	}
	return map[string]json.RawMessage{as: of}
}

func (s *Server) getItem(r *request) any {
	t := s.table(r.TableName)
	t.checkKey(r.Key)
	return answered("Item", t.get(r.Key))
}

func (s *Server) putItem(r *request) any {
	t := s.table(r.TableName)
	t.check(r.Item)
	return s.write(t, r.Item, r.Item, r.ReturnValues)
}

func (s *Server) deleteItem(r *request) any {
	t := s.table(r.TableName)
	t.checkKey(r.Key)
	return s.write(t, r.Key, nil, r.ReturnValues)
}

// write puts an item in the place of a key, or deletes what is there if it is nil.
func (s *Server) write(t *table, key, by item, returning string) any {
	if by != nil && s.size > maxBytes {
		refuse("the lab's tables hold %d MB and are full: delete items, or start the lab anew", maxBytes>>20)
	}
	all := returning == "ALL_OLD"
	if !all && returning != "" && returning != "NONE" {
		refuse("ReturnValues can only be ALL_OLD or NONE")
	}
	old, grown := t.replace(key, by)
	if s.size += grown; !all {
		old = nil
	}
	return answered("Attributes", old)
}

func (s *Server) describe(r *request) any {
	t := s.table(r.TableName).about
	return map[string]any{"Table": struct {
		assembly.Table
		TableStatus, TableArn string
	}{t, "ACTIVE", assembly.TableARN(t.TableName)}}
}

// batch counts the parts of a batch, each of which is one key.
type batch map[string]bool

func (b batch) add(t *table, key item) {
	_, at, _ := t.place(t.indexes[0], key)
	id := t.about.TableName + "/" + at.id
	if b[id] {
		refuse("Provided list of item keys contains duplicates")
	}
	b[id] = true
}

func (b batch) atMost(n int) {
	if len(b) == 0 || len(b) > n {
		refuse("Too many items requested, or none, for the batch: 1 to %d", n)
	}
}

func (s *Server) batchWrite(r *request) any {
	parts, writes := batch{}, []func(){}
	for name, text := range r.RequestItems {
		var requests []map[string]struct{ Item, Key item }
		t := s.table(name)
		decode(text, &requests)
		for _, r := range requests {
			put, isPut := r["PutRequest"]
			remove, isDelete := r["DeleteRequest"]
			of := remove.Key
			switch {
			case len(r) != 1 || !isPut && !isDelete:
				refuse("Supplied request is neither a PutRequest nor a DeleteRequest")
			case isPut:
				of = put.Item
				t.check(of)
			default:
				t.checkKey(of)
			}
			parts.add(t, of)
			writes = append(writes, func() { s.write(t, of, put.Item, "") })
		}
	}
	parts.atMost(25)
	for _, write := range writes {
		write()
	}
	return map[string]any{"UnprocessedItems": struct{}{}}
}

func (s *Server) batchGet(r *request) any {
	parts, found, bytes := batch{}, map[string][]json.RawMessage{}, 0
	for name, text := range r.RequestItems {
		var request struct {
			Keys           []item
			ConsistentRead bool
		}
		t := s.table(name)
		decode(text, &request)
		found[name] = []json.RawMessage{}
		for _, key := range request.Keys {
			t.checkKey(key)
			parts.add(t, key)
			if of := t.get(key); of != nil {
				found[name] = append(found[name], of)
				bytes += len(of)
			}
		}
	}
	if parts.atMost(100); bytes > 16*maxPage {
		refuse("the lab answers a batch of 16 MB whole or not at all: ask for fewer items")
	}
	return map[string]any{"Responses": found, "UnprocessedKeys": struct{}{}}
}
