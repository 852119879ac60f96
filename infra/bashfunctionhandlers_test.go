package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/packages"
)

// A name that no bootstrap accepts is refused at synth.
func TestBashFunctionHandlerNames(t *testing.T) {
	stack, builder := someStack(t)
	for path, content := range map[string]string{"h/src/my-handler.v2.sh": "run() { :; }\n", "h/-.sh": "run() { :; }\n", "evil.sh": "run() { :; }\n"} {
		write(t, path, content)
	}
	if _, err := bashfunction.New(stack, jsii.String("Good"), &bashfunction.BashFunctionProps{Entry: jsii.String("h"), Handler: jsii.String("src/my-handler.v2.run"), Builder: builder}); err != nil {
		t.Errorf("a handler in a folder: %v", err)
	}
	for _, name := range []string{
		"$(touch x).run", "handler.run;x", "handler.run x", "handler.run\nx", "'", "handler.", ".run", ".", "..", "-.run", "../evil.run",
		"src/../../evil.run", "/etc/profile.run", "handler.1run", "a//b.run", "src/", strings.Repeat("x", 130) + ".run",
	} {
		_, err := bashfunction.New(stack, jsii.String("Bad"), &bashfunction.BashFunctionProps{Entry: jsii.String("h"), Handler: &name, Builder: builder})
		if err == nil || !strings.Contains(err.Error(), "is not a valid name") || strings.Contains(err.Error(), "\n") {
			t.Errorf("handler %q: error is %v", name, err)
		}
	}
}

// If a function may come from another file, synth cannot decide whether it exists, and warns.
func TestBashFunctionThatSourcesItsFunction(t *testing.T) {
	stack, builder := someStack(t)
	write(t, "h/handler.sh", "source \"$LAMBDA_TASK_ROOT/lib.sh\"\n")
	bashfunction.NewBashFunction(stack, jsii.String("F"), &bashfunction.BashFunctionProps{Entry: jsii.String("h"), Builder: builder})
	warnings := *assertions.Annotations_FromStack(stack).FindWarning(jsii.String("/Mine/F"), assertions.Match_StringLikeRegexp(jsii.String("does not define run itself")))
	if len(warnings) != 1 {
		t.Errorf("%d warnings, want 1", len(warnings))
	}
}

// If something in a handler works on a developer's machine but not on Lambda, synth warns and names the line.
func TestBashFunctionThatFailsOnLambdaOnly(t *testing.T) {
	stack, builder := someStack(t)
	write(t, "h/handler.sh", "run() {\n  read -r x < <(date)\n  compgen -G '*.sh'\n}\n")
	for id, props := range map[string]*bashfunction.BashFunctionProps{
		"Base":   {Entry: jsii.String("h"), Builder: builder},
		"Static": {Entry: jsii.String("h"), Builder: builder, Bootstrap: jsii.String("bashtcp-static")},
	} {
		bashfunction.NewBashFunction(stack, jsii.String(id), props)
		for text, want := range map[string]int{"handler.sh:2:[0-9]+: process substitution": 1, "handler.sh:3:3: compgen is not in the static Bash": map[string]int{"Static": 1}[id]} {
			warnings := *assertions.Annotations_FromStack(stack).FindWarning(jsii.String("/Mine/"+id), assertions.Match_StringLikeRegexp(jsii.String(text)))
			if len(warnings) != want {
				t.Errorf("%s: %d warnings like %q, want %d", id, len(warnings), text, want)
			}
		}
	}
}

// The constructor panics with New's typed error. The app turns it into one line.
func TestBashFunctionPanicsWithAnError(t *testing.T) {
	stack, builder := someStack(t)
	builder.absent = map[string]error{"rawtcp/zip": &packages.UnavailableError{What: "rawtcp", Why: "go is not in PATH", Remedy: "install Go"}}
	var unavailable *packages.UnavailableError
	err := func() (err error) {
		defer func() { err, _ = recover().(error) }()
		bashfunction.NewBashFunction(stack, jsii.String("F"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/echo"), Bootstrap: jsii.String("rawtcp"), Builder: builder})
		return nil
	}()
	if !errors.As(err, &unavailable) {
		t.Errorf("the panic's value is %v, want an UnavailableError", err)
	}
	// A panic of the CDK itself is text of many lines.
	err = catch(func() error {
		for range 2 {
			bashfunction.NewBashFunction(stack, jsii.String("Twice"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/echo"), Builder: builder, Bootstrap: jsii.String("bashtcp")})
		}
		return nil
	})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "already a Construct with name 'Twice'") {
		t.Errorf("error is %v, want the CDK's error in one line", err)
	}
}

// The default Builder is the real one, in the user's cache folder. The test uses packages that need no toolchain.
func TestBashFunctionBuildsForReal(t *testing.T) {
	stack, _ := someStack(t)
	t.Chdir(repository)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache) // other systems look for the cache folder here
	entry := t.TempDir()
	write(t, filepath.Join(entry, "handler.sh"), "run() { :; }\n")
	bashfunction.NewBashFunction(stack, jsii.String("F"), &bashfunction.BashFunctionProps{Entry: &entry, Bootstrap: jsii.String("bashtcp")})
	if zips, _ := filepath.Glob(filepath.Join(cache, "twinstart", "build", "zip", "*.zip")); len(zips) != 1 {
		t.Errorf("ZIP files are %v, want one", zips)
	}
}
