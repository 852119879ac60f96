package dockerfile

import (
	"maps"
	"slices"
	"strings"
)

// expand removes quotes and replaces $NAME and ${NAME} by what ENV set above, as Docker does. Over any base but scratch, a name
// that the file does not set is an error, since the base may set it and what it holds is not known here.
func (r *reader) expand(word string) (string, error) {
	text, unset, err := r.lex.ProcessWord(word, env(r.image.Env))
	if err != nil {
		return "", r.errorf("%v", err)
	}
	if len(unset) > 0 && r.image.From != Scratch {
		names := slices.Sorted(maps.Keys(unset))
		return "", r.errorf("%s is not set above, and what the base image sets is not known here: write the value or an ENV",
			strings.Join(names, ", "))
	}
	return text, nil
}

func (r *reader) expandAll(words []string) ([]string, error) {
	out := make([]string, len(words))
	for i, word := range words {
		text, err := r.expand(word)
		if err != nil {
			return nil, err
		}
		out[i] = text
	}
	return out, nil
}

// env lends the variables set so far to buildkit's lexer.
type env []KV

// Get is the value of a variable, and whether it is set.
func (e env) Get(key string) (string, bool) {
	for _, kv := range e {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// Keys lists the variables.
func (e env) Keys() []string {
	keys := make([]string, len(e))
	for i, kv := range e {
		keys[i] = kv.Key
	}
	return keys
}
