package logline

import "strings"

// field is one "Key: value unit" of a log line. Value and unit are as written; a value without a unit leaves unit empty.
type field struct{ key, value, unit string }

// fields splits "Key: value unit" pairs, tab-separated as Lambda writes them or separated by spaces as they come out of
// a copy. Keys have several words ("Max Memory Used"), values one, so with spaces a value ends after its unit, if it has
// one, and the next words begin the next key. Words that belong to no pair, as where a line was cut off, are a field without a key.
func fields(s string) []field {
	out := make([]field, 0, 8)
	tabs := strings.IndexByte(s, '\t') >= 0
	for column := range strings.SplitSeq(s, "\t") {
		var key []string
		words := strings.Fields(column)
		for i := 0; i < len(words); i++ {
			last, ok := strings.CutSuffix(words[i], ":")
			if !ok {
				key = append(key, words[i])
				continue
			}
			f := field{key: strings.Join(append(key, last), " ")}
			key = nil
			if i+1 < len(words) && !strings.HasSuffix(words[i+1], ":") {
				i++
				f.value = words[i]
			}
			if f.value != "" && i+1 < len(words) && isUnit(words[i+1]) {
				i++
				f.unit = words[i]
			}
			out = append(out, f)
		}
		if len(key) > 0 && (!tabs || len(key) == len(words)) { // in a column of its own a value may have several words
			out = append(out, field{value: strings.Join(key, " ")})
		}
	}
	return out
}

// isUnit tells a unit from the first word of the next key; no key of Lambda's starts with one of these.
func isUnit(word string) bool {
	switch word {
	case "ms", "s", "B", "KB", "KiB", "MB", "MiB", "GB":
		return true
	}
	return false
}

// after returns what follows the word in the line, where it stands at the line's start or after white space: in
// INIT_REPORT the REPORT is part of another word.
func after(line, word string) (rest string, ok bool) {
	for at := 0; ; {
		i := strings.Index(line[at:], word)
		if i < 0 {
			return "", false
		}
		i += at
		if i == 0 || line[i-1] == ' ' || line[i-1] == '\t' {
			return line[i+len(word):], true
		}
		at = i + len(word)
	}
}
