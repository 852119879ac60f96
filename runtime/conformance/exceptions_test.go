package conformance

// exceptionKey names one cell of the table.
type exceptionKey struct{ bootstrap, scenario string }

// exception is what a bootstrap does in a scenario that it does not pass, and why it is so.
type exception struct {
	why   string
	check func(*outcome) error // nil: does exactly that
}

// exceptions are the cells that do not pass. One that starts to pass fails the test, so that this list stays true.
var exceptions = map[exceptionKey]exception{}
