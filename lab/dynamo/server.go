// Package dynamo serves DynamoDB's tables from memory, for functions in the lab: the operations that handlers use most,
// with DynamoDB's own errors, over TLS, each after a service time that is drawn. What it does not honour it names in a
// ValidationException. It checks no signature and no right.
//
// It is our own because what exists does not fit: minidyn (Go, MIT) looks at every item for each query and joins keys
// without a mark; dynalite (Node.js, Apache-2.0), against which it is tested, is a process beside; DynamoDB Local has
// its vendor's terms.
package dynamo

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/assembly"
)

// Server serves tables. It is safe for concurrent use.
type Server struct {
	service serviceTime
	mu      sync.Mutex
	tables  map[string]*table
	size    int // bytes of all tables
}

// maxBytes is what all tables may take in memory together.
const maxBytes = 256 << 20

// New returns a server of tables, which are empty or have what they import. latency is the median of the service time.
func New(tables []assembly.Table, latency time.Duration) (*Server, error) {
	s := &Server{service: newServiceTime(latency), tables: map[string]*table{}}
	for _, t := range tables {
		s.tables[t.TableName] = newTable(t)
		if t.Import != "" {
			if err := s.load(t); err != nil {
				return nil, fmt.Errorf("importing the items of table %s: %w", t.TableName, err)
			}
		}
	}
	return s, nil
}

// load puts the items of a CSV file into a table as DynamoDB does: its first line names attributes, and what is no key is text.
func (s *Server) load(t assembly.Table) error {
	f, err := os.Open(t.Import)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) == 0 {
		return err
	}
	for i, line := range lines[1:] {
		item := map[string]map[string]string{}
		for j, name := range lines[0] {
			item[name] = map[string]string{cmp.Or(s.tables[t.TableName].kinds[name], "S"): line[j]}
		}
		put, _ := json.Marshal(map[string]any{"TableName": t.TableName, "Item": item}) // text
		if status, answer := s.answer("PutItem", bytes.NewReader(put)); status != http.StatusOK {
			return fmt.Errorf("line %d: %v", i+2, answer)
		}
	}
	return nil
}

// request holds the parameters of all operations.
type request struct {
	TableName, IndexName                                    string
	Key, Item, ExclusiveStartKey, ExpressionAttributeValues item
	KeyConditionExpression, Select, ReturnValues            string
	ExpressionAttributeNames                                map[string]string
	Limit                                                   *int
	ScanIndexForward                                        *bool
	ConsistentRead                                          bool
	RequestItems                                            map[string]json.RawMessage
}

// failure is an error of DynamoDB's. Whatever finds one panics with it, and answer recovers it.
type failure struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func refuse(format string, args ...any) {
	panic(failure{"com.amazon.coral.validate#ValidationException", fmt.Sprintf(format, args...)})
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	due := time.Now().Add(s.service.draw())
	status, answer := s.answer(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."), http.MaxBytesReader(w, r.Body, 16<<20))
	text, err := json.Marshal(answer)
	if err != nil { // what was read can be written
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10))
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if left := time.Until(due); left > 0 {
		wait(left)
	}
	w.WriteHeader(status)
	w.Write(text)
}

// answer carries out an operation.
func (s *Server) answer(name string, body io.Reader) (status int, answer any) {
	defer func() {
		if p := recover(); p != nil {
			f, is := p.(failure)
			if !is {
				panic(p)
			}
			status, answer = http.StatusBadRequest, f
		}
	}()
	do, known := operations[name]
	if !known {
		panic(failure{"com.amazon.coral.service#UnknownOperationException", "the lab's DynamoDB has no operation " + strconv.Quote(name)})
	}
	text, err := io.ReadAll(body)
	if err != nil {
		refuse("reading the request: %v", err)
	}
	var r request
	decode(text, &r)
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, do(s, &r)
}

// decode reads parameters. It refuses one that is not honoured, for ignoring it would change what a handler does.
func decode(text []byte, into any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		return
	}
	if _, field, unknown := strings.Cut(err.Error(), "unknown field "); unknown {
		refuse("the lab's DynamoDB does not honour %s", field)
	}
	panic(failure{"com.amazon.coral.service#SerializationException", err.Error()})
}

// table finds a table by its name or its ARN.
func (s *Server) table(name string) *table {
	t := s.tables[name[strings.LastIndexByte(name, '/')+1:]]
	if t == nil {
		panic(failure{"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Requested resource not found: Table: " + name + " not found"})
	}
	return t
}
