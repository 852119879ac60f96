package importer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// BenchmarkImport imports a log of a busy function: START, a few lines that the function prints, END, REPORT.
func BenchmarkImport(b *testing.B) {
	var text bytes.Buffer
	for i := range 20000 {
		prefix := fmt.Sprintf("2026-11-20T10:00:%02d.%06d+00:00 2026/11/20/[$LATEST]%032x ", i%60, i, i%500)
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", i)
		fmt.Fprintf(&text, "%sSTART RequestId: %s Version: $LATEST\n", prefix, id)
		for range i % 6 {
			fmt.Fprintf(&text, "%s[INFO] %s %s\n", prefix, id, strings.Repeat("order processed ", 6))
		}
		fmt.Fprintf(&text, "%sEND RequestId: %s\n%sREPORT RequestId: %s\tDuration: 2.50 ms\tBilled Duration: 3 ms\tMemory Size: 256 MB\tMax Memory Used: 31 MB\t\n", prefix, id, prefix, id)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		w := record.NewWriter(io.Discard)
		for r, err := range Read("logs", bytes.NewReader(text.Bytes()), "f", Options{Identity: arm.Identity{Arm: "f/zip"}}) {
			if err != nil {
				b.Fatal(err)
			}
			if err := w.Write(*r); err != nil {
				b.Fatal(err)
			}
		}
	}
}
