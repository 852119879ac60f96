package runtimeapi

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// decoded is an error as the Runtime API reads it.
type decoded struct {
	ErrorMessage *string
	ErrorType    *string
	StackTrace   []any
}

func FuzzErrorJSON(f *testing.F) {
	for _, seed := range []string{"", `say "no" \ /`, "a\nb\tc\r\x00\x1f\x7f", "\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80", "\u00e9\u2028\U0001f600<>&", "\xe2\x82"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		text := (&Error{"Function.ExitStatus", message}).AppendJSON(nil)
		var got decoded
		if err := json.Unmarshal(text, &got); err != nil || !utf8.Valid(text) {
			t.Fatalf("%q is not JSON: %v", text, err)
		}
		want := string([]rune(message)) // each invalid byte becomes one U+FFFD, as in a range loop
		if *got.ErrorMessage != want || *got.ErrorType != "Function.ExitStatus" || got.StackTrace == nil {
			t.Errorf("%q is read as %q, want %q", text, *got.ErrorMessage, want)
		}
	})
}

// A request id becomes part of a path.
func TestNextRefusesIDs(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/b", "a b", "a\tb", "a?b", "a#b", "a%2fb", "\u00e9"} {
		if ValidID(id) {
			t.Errorf("%q passes", id)
		}
	}
	if id := "8476a536-e9f4-11e8-9739-2dfe598c3fcd"; !ValidID(id) {
		t.Errorf("%q does not pass", id)
	}
}
