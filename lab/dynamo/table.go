package dynamo

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/lab/assembly"
)

// table is a table with its indexes, the first of which is the table itself.
type table struct {
	about   assembly.Table
	kinds   map[string]string // of the attributes that are keys: S, N or B
	indexes []*index
}

// index holds rows by their partition key, each partition in the order of its rows.
type index struct {
	assembly.Index          // its name is "" for the table itself
	keys           []string // attributes: the partition key, and the sort key if there is one
	rows           map[string][]row
}

// row is an item at its place in a partition.
type row struct {
	sort, id string // the sort key and the primary key, in the order of keys
	item     json.RawMessage
}

func (r row) compare(to row) int {
	return cmp.Or(cmp.Compare(r.sort, to.sort), cmp.Compare(r.id, to.id))
}

// bytes is about what a row takes in memory.
func (r row) bytes() int { return 200 + len(r.sort) + len(r.id) + len(r.item) }

func newTable(about assembly.Table) *table {
	t := &table{about: about, kinds: map[string]string{}}
	for _, a := range about.AttributeDefinitions {
		t.kinds[a.AttributeName] = a.AttributeType
	}
	own := assembly.Index{KeySchema: about.KeySchema, Projection: assembly.Projection{ProjectionType: "ALL"}}
	for _, of := range slices.Concat([]assembly.Index{own}, about.GlobalSecondaryIndexes, about.LocalSecondaryIndexes) {
		x := &index{Index: of, rows: map[string][]row{}}
		slices.SortFunc(of.KeySchema, func(a, b assembly.Key) int { return cmp.Compare(a.KeyType, b.KeyType) }) // HASH, RANGE
		for _, key := range of.KeySchema {
			x.keys = append(x.keys, key.AttributeName)
		}
		t.indexes = append(t.indexes, x)
	}
	return t
}

// place returns where an item belongs in an index; ok is false if it does not.
func (t *table) place(x *index, of item) (partition string, at row, ok bool) {
	var texts [2]string
	for i, name := range x.keys {
		if texts[i], ok = key(of[name], t.kinds[name]); !ok {
			return "", at, false
		}
	}
	at = row{sort: texts[1], id: strconv.Itoa(len(texts[0])) + ":" + texts[0] + texts[1]}
	if x != t.indexes[0] {
		_, primary, _ := t.place(t.indexes[0], of)
		at.id = primary.id
	}
	return texts[0], at, true
}

// get returns the item with a key, or nil.
func (t *table) get(key item) json.RawMessage {
	partition, at, _ := t.place(t.indexes[0], key)
	rows := t.indexes[0].rows[partition]
	if i, found := slices.BinarySearchFunc(rows, at, row.compare); found {
		return rows[i].item
	}
	return nil
}

// replace puts an item in the place of the one with its key; nil only takes that one away. It returns the old one, and by
// how many bytes the table grew.
func (t *table) replace(key, by item) (old json.RawMessage, grown int) {
	if old = t.get(key); old != nil {
		was := read(old)
		for _, x := range t.indexes {
			if partition, at, ok := t.place(x, was); ok {
				i, _ := slices.BinarySearchFunc(x.rows[partition], at, row.compare)
				grown -= x.rows[partition][i].bytes()
				if x.rows[partition] = slices.Delete(x.rows[partition], i, i+1); len(x.rows[partition]) == 0 {
					delete(x.rows, partition)
				}
			}
		}
	}
	if by == nil {
		return old, grown
	}
	text, _ := json.Marshal(by) // which was read as JSON
	for _, x := range t.indexes {
		if partition, at, ok := t.place(x, by); ok {
			at.item = text
			i, _ := slices.BinarySearchFunc(x.rows[partition], at, row.compare)
			x.rows[partition] = slices.Insert(x.rows[partition], i, at)
			grown += at.bytes()
		}
	}
	return old, grown
}

// read returns an item that replace has written.
func read(text json.RawMessage) (of item) {
	_ = json.Unmarshal(text, &of)
	return of
}

// check refuses an item that the table cannot have.
func (t *table) check(of item) {
	if size(of, 1) > 400<<10 {
		refuse("Item size has exceeded the maximum allowed size")
	}
	for _, x := range t.indexes {
		for i, name := range x.keys {
			v, there := of[name]
			text, ok := key(v, t.kinds[name])
			if there && (!ok || text == "" || len(text) > 2048>>i) || !there && x == t.indexes[0] { // 1024 for a sort key
				refuse("One or more parameter values were invalid: the key %s %s is missing, empty, too long or not of type %s", x.IndexName, name, t.kinds[name])
			}
		}
	}
}

// checkKey refuses a key that is not one of the table's.
func (t *table) checkKey(of item) {
	size(of, 1)
	if _, _, ok := t.place(t.indexes[0], of); !ok || len(of) != len(t.indexes[0].keys) {
		refuse("The provided key element does not match the schema")
	}
	t.check(of)
}
