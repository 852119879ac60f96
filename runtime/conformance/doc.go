// Package conformance tests what every bootstrap must do, as one table: bootstrap x scenario.
//
// [API] is a Runtime API on a raw TCP listener. It records its requests, and other tests use it too. It is raw so
// that it can do everything that a server may do: chunk an event, split a response at any byte, send header names
// in lower case, send 1xx responses first, close the connection with or without notice, and send what is not HTTP.
//
// The table itself is in the tests. To add a bootstrap, add a row to bootstraps (bootstraps_test.go). If a
// bootstrap cannot pass a scenario, add a row to exceptions (exceptions_test.go) with the reason and with what it
// does instead, which the test checks. An exception is never a skip, and one that starts to pass fails the test.
package conformance
