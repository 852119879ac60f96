// Package conformance holds what every bootstrap must do, as one table: bootstrap x scenario.
//
// [API] is a Runtime API on a raw TCP listener with a record of what it was asked, reusable by other tests. It is raw so
// that it can do everything that a peer may do on the wire: chunk an event, split a response at odd bytes, lower-case the
// header names, send 1xx responses first, close the connection with or without a word, and send what is not HTTP.
//
// The table itself is in the tests. To add a bootstrap, add a row to bootstraps (bootstraps_test.go). What a bootstrap
// cannot do is a row in exceptions (exceptions_test.go): what it does instead, asserted, and why. It is never a skip, and an
// exception that starts to pass fails the test.
package conformance
