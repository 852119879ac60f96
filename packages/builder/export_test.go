package builder

import "net/http"

// Dir returns the folder of a store.
func (s *Store) Dir() string { return s.dir }

// Guarded is the part of the transport that refuses plain HTTP.
func Guarded(next http.RoundTripper) http.RoundTripper { return guard{next} }

// WithoutQueries removes queries from the text of an error.
var WithoutQueries = withoutQueries
