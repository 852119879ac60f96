package dynamo

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/lab/assembly"
)

// table is a table with its indexes. The first index is the table itself. All keys have type S.
type table struct {
	name    string
	indexes []*index
}

// index holds rows by partition key, in each partition in the order of row.compare.
type index struct {
	assembly.Index          // its name is "" for the table itself
	keys           []string // attributes: the partition key, and the sort key if there is one
	rows           map[string][]row
}

// row is an item at its place in a partition.
type row struct {
	sort, id string // the sort key and the primary key
	item     json.RawMessage
}

func (r row) compare(to row) int {
	return cmp.Or(cmp.Compare(r.sort, to.sort), cmp.Compare(r.id, to.id))
}

func newTable(about assembly.Table) *table {
	t := &table{name: about.TableName}
	own := assembly.Index{KeySchema: about.KeySchema, Projection: assembly.Projection{ProjectionType: "ALL"}}
	for _, of := range slices.Concat([]assembly.Index{own}, about.GlobalSecondaryIndexes) {
		x := &index{Index: of, rows: map[string][]row{}}
		slices.SortFunc(of.KeySchema, func(a, b assembly.Key) int { return cmp.Compare(a.KeyType, b.KeyType) }) // HASH, RANGE
		for _, key := range of.KeySchema {
			x.keys = append(x.keys, key.AttributeName)
		}
		t.indexes = append(t.indexes, x)
	}
	return t
}

// place returns where an item belongs in an index; ok is false if it lacks a key of the index.
func (t *table) place(x *index, of item) (partition string, at row, ok bool) {
	var texts [2]string
	for i, name := range x.keys {
		if texts[i], ok = text(of[name]); !ok {
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

// put puts an item in place of the item with the same key. It returns about how many bytes the table grew.
func (t *table) put(of item) (grown int) {
	var was item
	old := t.get(of)
	if old != nil {
		_ = json.Unmarshal(old, &was) // Marshal below has written it
		grown = -len(old) - 200*len(t.indexes)
	}
	text, _ := json.Marshal(of) // it was read as JSON
	if len(text) > 400<<10 {
		refuse("Item size has exceeded the maximum allowed size: 400 KB of JSON in the lab")
	}
	for _, x := range t.indexes {
		if partition, at, ok := t.place(x, was); ok {
			i, _ := slices.BinarySearchFunc(x.rows[partition], at, row.compare)
			x.rows[partition] = slices.Delete(x.rows[partition], i, i+1)
		}
		if partition, at, ok := t.place(x, of); ok {
			at.item = text
			i, _ := slices.BinarySearchFunc(x.rows[partition], at, row.compare)
			x.rows[partition] = slices.Insert(x.rows[partition], i, at)
		}
	}
	return grown + len(text) + 200*len(t.indexes)
}

// check refuses an item that the table cannot have, or a key that cannot be an item's.
func (t *table) check(of item) {
	check(item{"M": of}, 0)
	for _, x := range t.indexes {
		for i, name := range x.keys {
			v, there := of[name]
			key, ok := text(v)
			if there && (!ok || key == "" || len(key) > 2048>>i) || !there && x == t.indexes[0] { // 1024 for a sort key
				refuse("One or more parameter values were invalid: the %s's key %s is missing, empty, too long or not of type S",
					cmp.Or(x.IndexName, "table"), name)
			}
		}
	}
}
