// Command cdk-docker replaces docker if the CDK CLI publishes container images and no Docker daemon runs:
//
//	CDK_DOCKER=/path/to/cdk-docker cdk deploy
//
// It is called as
//
//	login --username AWS --password-stdin HOST     keeps the password from stdin for 12 hours
//	inspect NAME                                   is it here? 0 yes, 1 no
//	build --tag NAME --platform linux/arm64 .      from a Dockerfile that copies and runs nothing
//	tag NAME NAME    push NAME    images    version    logout HOST
//	choose                                         prints what CDK_DOCKER should be: docker, podman or finch if one works, else itself
//
// Images are kept in $TWINSTART_IMAGES, else in the cache folder. Exit status: 0 success; 1 failure, or no such image;
// 2 a mistake in the call or the Dockerfile; 3 the image store does not work (the CDK CLI takes 1 for "no such image").
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/twinstart/twinstart/packages/builder"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
	exitStore  = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cdk-docker: "+strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(status(err))
	}
}

// usageError is a mistake in the call.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// storeError means that the image store does not work.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

func status(err error) int {
	var usage *usageError
	var file *dockerfile.Error
	var platform *builder.PlatformError
	var store *storeError
	switch {
	case errors.As(err, &usage), errors.As(err, &file), errors.As(err, &platform):
		return exitUsage
	case errors.As(err, &store):
		return exitStore
	}
	return exitFailed
}

// call is one invocation of the command.
type call struct {
	ctx     context.Context
	stdin   io.Reader
	stdout  io.Writer
	display *display
	builder *builder.Builder
}

// verbs lists what the command can do, by name.
var verbs = map[string]func(*call, []string) error{
	"build":   withStore(build),
	"choose":  choose,
	"images":  withStore(images),
	"inspect": withStore(inspect),
	"login":   withStore(login),
	"logout":  withStore(logout),
	"push":    withStore(push),
	"tag":     withStore(tag),
	"version": version,
}

// longForms lists other names of verbs, as in docker.
var longForms = map[string]string{
	"buildx build": "build", "builder build": "build", "image build": "build", "image inspect": "inspect", "image ls": "images",
	"image push": "push", "image tag": "tag", "--version": "version", "-v": "version",
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	args, err := globalOptions(args)
	if err != nil {
		return err
	}
	verb, args, err := verbOf(args)
	if err != nil {
		return err
	}
	display := &display{w: stderr}
	return verb(&call{ctx, stdin, stdout, display, &builder.Builder{Progress: display}}, args)
}

// withStore opens the image store for a verb that needs it.
func withStore(verb func(*call, []string) error) func(*call, []string) error {
	return func(c *call, args []string) error {
		dir, err := builder.DefaultDir()
		if err != nil {
			return &storeError{err}
		}
		store, err := builder.OpenStore(dir)
		if err != nil {
			return &storeError{err}
		}
		c.builder.Store = store
		c.builder.Keychain = authn.NewMultiKeychain(store.Credentials(), authn.DefaultKeychain)
		return verb(c, args)
	}
}

// globalOptions reads the options before the verb. The CDK CLI passes --config if the user has credential helpers
// of the CDK's.
func globalOptions(args []string) ([]string, error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && longForms[args[0]] == "" {
		option, value, joined := strings.Cut(args[0], "=")
		if option != "--config" {
			return nil, usagef("%s is not known here: needs Docker", option)
		}
		args = args[1:]
		if !joined {
			if len(args) == 0 {
				return nil, usagef("--config needs a folder")
			}
			value, args = args[0], args[1:]
		}
		// The keychain for Docker's configuration takes its folder only from the environment.
		if err := os.Setenv("DOCKER_CONFIG", value); err != nil {
			return nil, usagef("--config %s: %v", value, err)
		}
	}
	return args, nil
}

func verbOf(args []string) (func(*call, []string) error, []string, error) {
	if len(args) == 0 {
		return nil, nil, usagef("nothing to do: cdk-docker build, inspect, tag, push, images, login, logout, choose or version")
	}
	for _, words := range []int{2, 1} {
		if len(args) < words {
			continue
		}
		name := strings.Join(args[:words], " ")
		if short := longForms[name]; short != "" {
			name = short
		}
		if verb := verbs[name]; verb != nil {
			return verb, args[words:], nil
		}
	}
	return nil, nil, usagef("%s needs Docker: only build, inspect, tag, push, images, login, logout, choose and version work without", args[0])
}

// parse reads a verb's options and arguments in any order, as docker does, into the fields of a struct. Docker has
// more options.
func parse(verb string, into any, args []string) error {
	parser, err := kong.New(into, kong.Name(verb), kong.NoDefaultHelp())
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		if flag, unknown := strings.CutPrefix(err.Error(), "unknown flag "); unknown {
			flag, _, _ = strings.Cut(flag, ",") // without kong's suggestion
			return usagef("%s: %s needs Docker", verb, flag)
		}
		return usagef("%s: %v", verb, err)
	}
	return nil
}

// names reads the arguments of a verb without options.
func names(verb string, args []string) ([]string, error) {
	var o struct {
		Names []string `arg:"" optional:"" sep:"none"`
	}
	err := parse(verb, &o, args)
	return o.Names, err
}

// clients lists the programs that CDK_DOCKER can name, in the order of preference, each with a command that
// succeeds only if it could build an image now. docker is the default of the CDK CLI.
var clients = [][]string{
	{"docker", "version", "--format", "{{.Server.Version}}"},
	{"podman", "info"},
	{"finch", "info"},
}

// choose prints the value for CDK_DOCKER: the one in the environment, else the first client that works, else this
// program.
func choose(c *call, args []string) error {
	if len(args) > 0 {
		return usagef("choose takes no arguments")
	}
	chosen := os.Getenv("CDK_DOCKER")
	if chosen == "" {
		chosen = working(c.ctx)
	}
	if chosen == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("finding this program: %w", err)
		}
		chosen = self
	}
	_, err := fmt.Fprintln(c.stdout, chosen)
	return err
}

func working(ctx context.Context) string {
	for _, question := range clients {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		cmd := exec.CommandContext(ctx, question[0], question[1:]...)
		cmd.WaitDelay = time.Second
		err := cmd.Run()
		cancel()
		if err == nil {
			return question[0]
		}
	}
	return ""
}
