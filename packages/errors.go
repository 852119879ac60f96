package packages

import (
	"errors"
	"fmt"

	"github.com/twinstart/twinstart/arm"
)

// UnavailableError says that something cannot be built on this machine, although it can be built elsewhere. Its
// arms are left out and shown as not measured.
type UnavailableError struct {
	What   string // the bootstrap, or "static Bash"
	Why    string // "upx is not in PATH"
	Remedy string // what to do about it, in the imperative
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s cannot be built here: %s; %s", e.What, e.Why, e.Remedy)
}

// ImpossibleError says that an arm cannot exist on any machine.
type ImpossibleError struct {
	Arm string // arm.ID
	Why string
}

func (e *ImpossibleError) Error() string { return fmt.Sprintf("%s cannot exist: %s", e.Arm, e.Why) }

// possible returns an *ImpossibleError, or nil if the arm can exist.
func possible(b Bootstrap, p arm.Package) error {
	if p == arm.ImageMinimal && b.needs != "" {
		return &ImpossibleError{
			Arm: arm.ID(b.Name, p),
			Why: fmt.Sprintf("it needs %s, and an image from scratch has only the static Bash", b.needs),
		}
	}
	return nil
}

// about adds the bootstrap's name to an error of a recipe, unless the error already names it.
func about(name string, err error) error {
	if _, ok := errors.AsType[*UnavailableError](err); ok {
		return err
	}
	return fmt.Errorf("building %s: %w", name, err)
}
