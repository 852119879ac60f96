package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// isTable reports whether a file is CSV: the console's of a log group, or of a query.
func isTable(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	heads, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return false
	}
	for _, h := range heads {
		switch h = strings.TrimSpace(h); {
		case strings.HasPrefix(h, "@"), strings.HasPrefix(h, "record."), len(heads) > 1 && h == "message":
			return true
		}
	}
	return false
}

func readTable(in *bufio.Reader, name string, yield func(Event, error) bool) {
	rows := sorter{yield: yield}
	h := &held{in: in}
	table := csv.NewReader(h)
	table.FieldsPerRecord, table.ReuseRecord = -1, true
	var heads []string
	n, line := 0, 0
	for {
		h.reset()
		h.ends = h.ends[:0]
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errHeld) {
			line = syntax.Line
			if !rows.end() || !yield(Event{}, bad(name, line, "%v", syntax.Err)) {
				return
			}
			continue
		}
		if err != nil {
			if rows.end() {
				yield(Event{}, broken(name, line+1, err))
			}
			return
		}
		line, _ = table.FieldPos(0)
		if heads == nil {
			for _, c := range cells {
				heads = append(heads, strings.TrimSpace(c))
			}
			continue
		}
		got := row{}
		for i, c := range cells {
			if i < len(heads) {
				got[heads[i]] = c
			}
		}
		n++
		if !rows.add(got.event(line)) {
			return
		}
	}
	if rows.end() && full(n) {
		yield(Event{}, bad(name, line, fullText, n))
	}
}
