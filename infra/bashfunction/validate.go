package bashfunction

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
)

// validate checks everything that can be known before anything is built. What it cannot decide becomes a note.
func (p BashFunctionProps) validate() ([]note, error) {
	for _, check := range []func() error{p.validateOptions, p.validateModel, p.validateCombinations, p.validateProvisioned, p.validateChoices, p.validateEntry} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	h, err := parseHandler(p.Handler)
	if err != nil {
		return nil, err
	}
	if h.function == "" {
		return nil, p.validateExecutable(h)
	}
	return p.validateScript(h)
}

func (p BashFunctionProps) validateOptions() error {
	if m := p.MemorySize; m != nil && !*awscdk.Token_IsUnresolved(m) && (*m < arm.MinMemoryMB || *m > arm.MaxMemoryMB || *m != float64(int(*m))) {
		return fmt.Errorf("prop MemorySize is %v: use a whole number of MB from %d to %d", *m, arm.MinMemoryMB, arm.MaxMemoryMB)
	}
	if t := p.Timeout; t != nil && !*t.IsUnresolved() {
		s := *t.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
		if s < arm.MinTimeoutSeconds || s > arm.MaxTimeoutSeconds || s != float64(int(s)) {
			return fmt.Errorf("prop Timeout is %v s: use whole seconds from %d to %d", s, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds)
		}
	}
	if p.LogRetention != "" || p.LogRemovalPolicy != "" { //nolint:staticcheck // deprecated ones are what this is about
		return errors.New("props LogRetention and LogRemovalPolicy are about a log group that Lambda makes: give LogGroup one with the retention and removal policy that you want")
	}
	return nil
}

// validateCombinations refuses options that Lambda or the CDK would refuse later, or ignore.
func (p BashFunctionProps) validateCombinations() error {
	if s := p.EphemeralStorageSize; s != nil && !*s.IsUnresolved() {
		if mb := *s.ToMebibytes(&awscdk.SizeConversionOptions{Rounding: awscdk.SizeRoundingBehavior_NONE}); mb < arm.MinTmpMB || mb > arm.MaxTmpMB || mb != float64(int(mb)) {
			return fmt.Errorf("prop EphemeralStorageSize is %v MB: use a whole number of MB from %d to %d", mb, arm.MinTmpMB, arm.MaxTmpMB)
		}
	}
	if r := p.ReservedConcurrentExecutions; r != nil && !*awscdk.Token_IsUnresolved(r) && (*r < 0 || *r != float64(int(*r))) {
		return fmt.Errorf("prop ReservedConcurrentExecutions is %v: use a whole number, or leave it out for no limit of the function's own", *r)
	}
	if p.Vpc == nil && (p.VpcSubnets != nil || p.SecurityGroups != nil || p.AllowPublicSubnet != nil) {
		return errors.New("props VpcSubnets, SecurityGroups and AllowPublicSubnet are about a VPC: set prop Vpc, or leave them out")
	}
	disabled := p.DeadLetterQueueEnabled != nil && !*p.DeadLetterQueueEnabled
	if p.DeadLetterQueue != nil && (disabled || p.DeadLetterTopic != nil) || p.DeadLetterTopic != nil && p.DeadLetterQueueEnabled != nil && !disabled {
		return errors.New("props DeadLetterQueue, DeadLetterTopic and DeadLetterQueueEnabled contradict each other: set one of them")
	}
	if p.Package != arm.ZIP && p.Layers != nil && len(*p.Layers) > 0 {
		return fmt.Errorf("prop Layers is for ZIP files and prop Package is %s: copy what the layers hold into the image, or use package %s", p.Package, arm.ZIP)
	}
	return nil
}

func (p BashFunctionProps) validateChoices() error {
	if _, err := p.architecture(); err != nil {
		return err
	}
	if !slices.Contains(arm.Packages(), p.Package) {
		return fmt.Errorf("unknown package %q: use %s", p.Package, joined(arm.Packages(), func(p arm.Package) string { return string(p) }))
	}
	named := func(b packages.Bootstrap) string { return b.Name }
	if !slices.ContainsFunc(packages.Bootstraps(), func(b packages.Bootstrap) bool { return b.Name == p.Bootstrap }) {
		return fmt.Errorf("unknown bootstrap %q: use %s", p.Bootstrap, joined(packages.Bootstraps(), named))
	}
	return nil
}

// architecture translates CDK's object into the project's vocabulary.
func (p BashFunctionProps) architecture() (arm.Architecture, error) {
	return arm.ParseArchitecture(*p.Architecture.Name())
}

func (p BashFunctionProps) validateEntry() error {
	if p.Entry == "" {
		return errors.New(`prop Entry is missing: set it to the folder that holds handler.sh, such as "handlers/hello"`)
	}
	info, err := os.Stat(p.Entry)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("prop Entry: there is no folder %s: create it or correct the path%s", p.Entry, startsAt(p.Entry))
	case err != nil:
		return fmt.Errorf("prop Entry: %w", err)
	case !info.IsDir():
		return fmt.Errorf("prop Entry: %s is a file: name its folder, and the file in Handler", p.Entry)
	}
	return nil
}

// startsAt says where a relative path starts, which is what one gets wrong.
func startsAt(path string) string {
	dir, err := os.Getwd()
	if err != nil || filepath.IsAbs(path) {
		return ""
	}
	return " (it starts at " + dir + ")"
}

// validateScript looks for the handler's function in its file.
func (p BashFunctionProps) validateScript(h handler) ([]note, error) {
	path := filepath.Join(p.Entry, h.file+".sh")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("handler %q: there is no %s: create it with a function %s, or correct Handler (%s holds %s)",
			p.Handler, path, h.function, p.Entry, scriptsIn(p.Entry))
	}
	s, err := readScript(path)
	if err == nil {
		err = checkBash(path)
	}
	if err != nil {
		return nil, fmt.Errorf("handler %q: %w", p.Handler, err)
	}
	notes := p.unlike(s)
	switch {
	case slices.Contains(s.functions, h.function):
		return notes, nil
	case s.open:
		return append(notes, note{"twinstart:handlerNotSeen", fmt.Sprintf("handler %q: %s does not define %s itself; whether what it sources does is not checked",
			p.Handler, path, h.function)}), nil
	case len(s.functions) == 0:
		return nil, fmt.Errorf("handler %q: %s defines no function: define %s() in it", p.Handler, path, h.function)
	}
	return nil, fmt.Errorf("handler %q: %s has no function %s (it has %s): define it or correct Handler",
		p.Handler, path, h.function, strings.Join(s.functions, ", "))
}

// unlike warns of what a script does otherwise on Lambda than on the machine it was written on.
func (p BashFunctionProps) unlike(s script) (notes []note) {
	if s.substitutes != "" {
		notes = append(notes, note{"twinstart:processSubstitution", s.substitutes + ": process substitution needs /dev/fd, which Lambda does not have: it fails there, " +
			"in a loop without a word: use a pipe or a here-string (https://github.com/aws/aws-lambda-base-images/issues/132)"})
	}
	if s.completes != "" && (p.Package == arm.ImageMinimal || p.Bootstrap == "bashtcp-static") {
		notes = append(notes, note{"twinstart:builtinMissing", s.completes + " is not in the static Bash: use a loop, or a package on a base (zip, image) with another bootstrap"})
	}
	return notes
}

// scriptsIn lists a folder's scripts for a message.
func scriptsIn(dir string) string {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.sh"))
	if len(paths) == 0 {
		return "no *.sh"
	}
	return joined(paths, filepath.Base)
}

// validateExecutable checks what execve on Lambda would: that there is such a file, that it may be executed, and that its machine
// code, if it is that, is for the function's architecture.
func (p BashFunctionProps) validateExecutable(h handler) error {
	path := filepath.Join(p.Entry, h.file)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf(`handler %q: there is no executable %s: create it, or name a function as "file.function"`, p.Handler, path)
	case err != nil:
		return fmt.Errorf("handler %q: %w", p.Handler, err)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("handler %q: %s is not executable: chmod +x %s", p.Handler, path, path)
	}
	program, err := elf.Open(path)
	if err != nil {
		return nil // a script: its first line says what runs it
	}
	defer program.Close()
	a, err := p.architecture()
	if err != nil {
		return err
	}
	if want := machines[a]; program.Machine != want {
		return fmt.Errorf("handler %q: %s is a program for %s and the function is %s: build it for that (GOARCH=%s), or set Architecture",
			p.Handler, path, program.Machine, a, a.GOARCH())
	}
	return nil
}

var machines = map[arm.Architecture]elf.Machine{arm.ARM64: elf.EM_AARCH64, arm.X8664: elf.EM_X86_64}

// note is a warning for the construct: id is what acknowledges it.
type note struct{ id, text string }

func joined[T any](list []T, name func(T) string) string {
	names := make([]string, len(list))
	for i, item := range list {
		names[i] = name(item)
	}
	return strings.Join(names, ", ")
}
