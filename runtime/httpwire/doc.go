// Package httpwire is an HTTP/1.1 client (RFC 9112) over an io.ReadWriter.
//
// It exists because a cold start spends its time reading pages. net/http makes a Go bootstrap three times as large,
// and most of those pages are touched before the first request leaves. This package therefore imports neither net
// nor net/http nor fmt nor encoding/json, and it reuses its buffers.
//
// It understands what a Runtime API can send: bodies with Content-Length, chunked, or ended by the connection's
// close; 1xx responses; trailers; header names in any case; reads that end at any byte. It reads valid responses as
// net/http does; a differential fuzz test checks that. It refuses anything else with a [*SyntaxError]: obsolete
// line folding, bare LF, two different lengths.
package httpwire
