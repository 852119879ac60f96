// Package httpwire is the client's side of HTTP/1.1 (RFC 9112) on an io.ReadWriter, and nothing else.
//
// It exists because a cold start is made of pages read: net/http makes a Go bootstrap three times as large, and most of
// that is touched before the first request leaves. So this package imports neither net nor net/http nor fmt nor
// encoding/json, reuses its buffers, and knows only what a Runtime API can send: Content-Length, chunked and close-delimited
// bodies, 1xx responses, trailers, header names in any case, reads that end at any byte. It reads what valid senders write as
// net/http does (a differential fuzz test holds that) and refuses the rest with a [*SyntaxError] rather than guess: obsolete
// line folding, bare LF, two lengths that differ.
package httpwire
