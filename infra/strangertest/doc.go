// Package strangertest uses the module as a user does: it copies examples/ to another folder and compiles them with
// -trimpath. Twinstart comes from a module proxy.
package strangertest
