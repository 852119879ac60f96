package builder

import "net/http"

// Dir is where a store lies.
func (s *Store) Dir() string { return s.dir }

// Guarded is the transport's refusal of plain HTTP, before anything else.
func Guarded(next http.RoundTripper) http.RoundTripper { return guard{next} }

// WithoutQueries is what an error's text goes through.
var WithoutQueries = withoutQueries
