package show

import (
	"encoding/json"
	"io"

	"github.com/twinstart/twinstart/bench/report"
)

func asJSON(w io.Writer, r *report.Report, _ Options) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
