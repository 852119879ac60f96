package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// fields is the start of an answer to GET /next that is a valid event so far.
const fields = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n"

// withID returns an event with this request id.
func withID(id string) string {
	return strings.Replace(fields, "id-1", id, 1) + "Content-Length: 2\r\n\r\n{}"
}

// malformations are further answers to GET /next that are not valid events.
var malformations = map[string]string{
	"nothing but a line end":      "\r\n",
	"line ends":                   strings.Repeat("\n", 100_000),
	"binary":                      strings.Repeat("\x00\xff\r\n", 10_000),
	"HTTP/2":                      strings.Replace(fields, "HTTP/1.1", "HTTP/2", 1) + "Content-Length: 2\r\n\r\n{}",
	"status 101":                  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
	"status 204":                  strings.Replace(fields, "200 OK", "204 No Content", 1) + "\r\n",
	"status 302":                  "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
	"status 403":                  "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}",
	"status 410":                  "HTTP/1.1 410 Gone\r\nContent-Length: 2\r\n\r\n{}",
	"status 413":                  "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}",
	"status 999":                  "HTTP/1.1 999 Nines\r\nContent-Length: 2\r\n\r\n{}",
	"head without an end":         fields + "X: " + strings.Repeat("a", 2_000_000),
	"line that is not a field":    fields + "garbage\r\nContent-Length: 2\r\n\r\n{}",
	"length empty":                fields + "Content-Length: \r\n\r\n{}",
	"length with a sign":          fields + "Content-Length: +2\r\n\r\n{}",
	"length hexadecimal":          fields + "Content-Length: 0x2\r\n\r\n{}",
	"length with a leading zero":  fields + "Content-Length: 010\r\n\r\n12345678",
	"length that is code":         fields + "Content-Length: a[$(touch touched)]\r\n\r\n{}",
	"length of a gigabyte":        fields + "Content-Length: 1000000000\r\n\r\n{}",
	"length of 2^64 + 2":          fields + "Content-Length: 18446744073709551618\r\n\r\n{}",
	"length of 20 digits":         fields + "Content-Length: 99999999999999999999\r\n\r\n{}",
	"coding other than chunked":   fields + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	"chunk size with a sign":      fields + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
	"chunk size with a prefix":    fields + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
	"chunk size of 2^63 + 2":      fields + "Transfer-Encoding: chunked\r\n\r\n8000000000000002\r\n{}\r\n0\r\n\r\n",
	"chunk size of 17 digits":     fields + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
	"chunks without a last one":   fields + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
	"id empty":                    withID(""),
	"id with a space":             withID("a b"),
	"id that leads elsewhere":     withID("../../init/error"),
	"id with a query":             withID("a?b#c"),
	"id that is code":             withID("$(touch touched)"),
	"id with a control character": withID("id\x011"),
	"id with a carriage return":   withID("a\rb"),
	"id that is not UTF-8":        withID("\xc3\xa9\xff"),
}

// TestMalformed checks that the bootstraps of this project exit with a reason on stderr and never run the handler.
// lambdago and bashcurl may react differently.
func TestMalformed(t *testing.T) {
	need.Time(t)
	for _, b := range bootstraps {
		if slices.Contains([]string{"bashcurl", "lambdago"}, b.name) {
			continue
		}
		for name, raw := range malformations {
			s := malformed(name, raw)
			for _, c := range b.places("") {
				t.Run(c.String()+"/"+name, func(t *testing.T) {
					t.Parallel()
					o := c.run(t, s, patience)
					if err := s.check(o); err != nil {
						t.Errorf("%v\n%s", err, o)
					}
				})
			}
		}
	}
}
