package record

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Key names one place in a run's plan: this arm's turn in this round. A cold round holds one sample of each arm, a warm
// one as many as its environment serves.
type Key struct {
	Arm          string
	MemorySizeMB int
	Start        Start
	Round        int
}

// Key is the record's place.
func (r *Record) Key() Key {
	return Key{Arm: r.Arm, MemorySizeMB: r.MemorySizeMB, Start: r.Start, Round: r.Round}
}

// Done counts what a run has measured already.
type Done map[Key]int

// Add counts a record, unless it is not what the plan asked for: a priming cold start, or a call without an answer, which
// --resume makes again.
func (d Done) Add(r *Record) {
	if r.Marked.Is(Priming) || r.Marked.Is(Throttled) || r.Marked.Is(NoAnswer) {
		return
	}
	d[r.Key()]++
}

// Is reports whether m is mark, ignoring any detail after the colon.
func (m Mark) Is(kind Mark) bool { return m == kind || strings.HasPrefix(string(m), string(kind)+": ") }

// With adds detail to a mark.
func (m Mark) With(detail string) Mark { return Mark(fmt.Sprintf("%s: %s", m, detail)) }

// ReadDone reads what a file of records holds already; no file is nothing done. Lines that are no records are passed over:
// a report names them.
func ReadDone(path string) (Done, error) {
	done := Done{}
	err := Each(path, done.Add, func(error) {})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return done, err
}
