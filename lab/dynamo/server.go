// Package dynamo serves DynamoDB tables from memory, over TLS, to functions in the lab. It has the operations that our
// handlers use (GetItem, PutItem, BatchWriteItem with puts, Query) and DynamoDB's errors. Each answer comes after a
// random service time. A parameter that the package does not support is a ValidationException. The package does not
// check signatures or permissions. If that is not enough, use another DynamoDB: --allow dynamodb=URL.
//
// We wrote it because other programs do not fit: minidyn (Go, MIT) reads every item for each query and joins keys
// without a separator; dynalite (Node.js, Apache-2.0) is a separate process, so only the tests use it, to compare; and
// DynamoDB Local has a proprietary license.
package dynamo

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/assembly"
)

// Sigma is the standard deviation of the service time's logarithm: with a median of 4 ms, one request in a hundred
// takes more than 7.2 ms.
const Sigma = 0.25

// Server serves tables. It is safe for concurrent use.
type Server struct {
	median time.Duration // of the service time
	sigma  float64

	mu     sync.Mutex
	random *rand.Rand // draws the same service times in each lab
	tables map[string]*table
	size   int // bytes of all tables
}

// maxBytes is what all tables may take in memory together.
const maxBytes = 256 << 20

// New returns a server of tables with the items that they import. latency is the median of the service time.
func New(tables []assembly.Table, latency time.Duration) (*Server, error) {
	s := &Server{median: latency, sigma: Sigma, random: rand.New(rand.NewPCG(1, 2)), tables: map[string]*table{}}
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

// load puts the items of a CSV file into a table. Its first line names the attributes, which all have type S.
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
		of := item{}
		for j, name := range lines[0] {
			of[name] = item{"S": line[j]}
		}
		put, _ := json.Marshal(map[string]any{"TableName": t.TableName, "Item": of})
		if status, answer := s.answer("PutItem", bytes.NewReader(put)); status != http.StatusOK {
			return fmt.Errorf("line %d: %v", i+2, answer)
		}
	}
	return nil
}

// draw returns the service time of a request.
func (s *Server) draw() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(float64(s.median) * math.Exp(s.sigma*s.random.NormFloat64()))
}

// failure is an error that DynamoDB returns. Operations panic with it, and Server.answer recovers.
type failure struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

// refuse ends an operation with a ValidationException.
func refuse(format string, args ...any) {
	panic(failure{"com.amazon.coral.validate#ValidationException", fmt.Sprintf(format, args...)})
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	due := time.Now().Add(s.draw())
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	status, answer := s.answer(operation, http.MaxBytesReader(w, r.Body, 16<<20))
	text, _ := json.Marshal(answer) // it is made of what was read as JSON
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
		panic(failure{"com.amazon.coral.service#UnknownOperationException", "the lab's DynamoDB has no operation " +
			strconv.Quote(name) + ": name another DynamoDB with --allow dynamodb=URL"})
	}
	d := json.NewDecoder(body)
	d.DisallowUnknownFields() // if a parameter were ignored, a handler would get a wrong answer
	var r request
	if err := d.Decode(&r); err != nil {
		if _, field, unknown := strings.Cut(err.Error(), "unknown field "); unknown {
			refuse("the lab's DynamoDB does not support %s: name another DynamoDB with --allow dynamodb=URL", field)
		}
		panic(failure{"com.amazon.coral.service#SerializationException", err.Error()})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, do(s, &r)
}

// table finds a table by its name or its ARN.
func (s *Server) table(name string) *table {
	t := s.tables[name[strings.LastIndexByte(name, '/')+1:]]
	if t == nil {
		panic(failure{"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
			"Requested resource not found: Table: " + name + " not found"})
	}
	return t
}
