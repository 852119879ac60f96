package show

import (
	"bytes"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/report"
)

// A report shows imported results of Power Tuning by memory size, with their costs.
func TestImportedTuning(t *testing.T) {
	rep, err := report.Stream(strings.NewReader(`{"schema":1,"source":"aws","arm":"f/zip","memorySizeMB":128,"start":"warm","published":"Power Tuning","summary":{"of":"Duration and INIT, trimmed mean","averageMs":117.2,"costUSD":2.46e-7}}
{"schema":1,"source":"aws","arm":"f/zip","memorySizeMB":512,"start":"warm","published":"Power Tuning","summary":{"of":"Duration and INIT, trimmed mean","averageMs":31.9,"costUSD":2.68e-7}}
`), "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "markdown", "html"} {
		var b bytes.Buffer
		if err := Write(&b, format, rep, Options{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"f/zip@128", "f/zip@512", "117.2", "31.90", "USD/M", "0.246", "0.268", "Power Tuning"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s does not say %q", format, want)
			}
		}
	}
}
