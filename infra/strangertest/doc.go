// Package strangertest uses the module as somebody else does: examples/ in a folder of its own, compiled with
// -trimpath, with Twinstart from the module cache, where it came from a module proxy.
package strangertest
