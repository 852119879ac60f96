package staticbash

import "fmt"

// UnavailableError says that something cannot be built on this machine, although it can be built elsewhere. Arms that
// need it are left out and shown as not measured.
type UnavailableError struct {
	What   string // for example "the static Bash for arm64"
	Why    string // for example "upx is not in PATH"; for the source of Bash, a reason for each place that was tried
	Remedy string // what to do about it, in the imperative
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s cannot be built here: %s; %s", e.What, e.Why, e.Remedy)
}
