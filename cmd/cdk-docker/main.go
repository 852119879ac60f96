// Command cdk-docker replaces docker when the CDK CLI publishes container images and no Docker daemon runs:
//
//	CDK_DOCKER=/path/to/cdk-docker cdk deploy
//
// It is called as
//
//	login --username AWS --password-stdin HOST     keeps the password from stdin for 12 hours
//	inspect NAME                                   exit status 0: the image is here; 1: it is not
//	build --tag NAME --platform linux/arm64 .      from a Dockerfile that only copies files
//	tag NAME NAME    push NAME    images
//	choose                                         prints a value for CDK_DOCKER
//
// choose prints docker, podman or finch if one of them works, else the path of cdk-docker. Images are kept in
// $TWINSTART_IMAGES, else in the cache folder. Exit status: 0 success; 1 failure, or no such image; 2 a mistake in the
// call or the Dockerfile; 3 the image store does not work (the CDK CLI would read 1 as "no such image").
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/twinstart/twinstart/arm/list"
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
		fmt.Fprintln(os.Stderr, "cdk-docker: "+list.OneLine(err.Error()))
		os.Exit(status(err))
	}
}

// failure is an error with its exit status.
type failure struct {
	error
	status int
}

func usagef(format string, args ...any) error {
	return &failure{fmt.Errorf(format, args...), exitUsage}
}

func status(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	if errors.As(err, new(*dockerfile.Error)) || errors.As(err, new(*builder.PlatformError)) {
		return exitUsage
	}
	return exitFailed
}

// call is what all commands need.
type call struct {
	ctx     context.Context
	stdin   io.Reader
	stdout  io.Writer
	display *display
	builder *builder.Builder
}

// commands are the commands and options that work without Docker: those that the CDK CLI uses. Docker has more. Options
// and arguments may come in any order.
type commands struct {
	Config  string  // the CDK CLI passes it if the user has configured credential helpers for the CDK
	Build   build   `cmd:""`
	Inspect inspect `cmd:""`
	Tag     tag     `cmd:""`
	Push    push    `cmd:""`
	Images  images  `cmd:""`
	Login   login   `cmd:""`
	Choose  choose  `cmd:""`
}

const known = "build, inspect, tag, push, images, login and choose"

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var all commands
	parser, err := kong.New(&all, kong.NoDefaultHelp())
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usagef("%v: without Docker only the commands that the CDK CLI calls work: %s", err, known)
	}
	if all.Config != "" { // the keychain for Docker's configuration takes its folder only from the environment
		if err := os.Setenv("DOCKER_CONFIG", all.Config); err != nil {
			return usagef("--config %s: %v", all.Config, err)
		}
	}
	display := &display{w: stderr}
	c := &call{ctx, stdin, stdout, display, &builder.Builder{Progress: display.line}}
	if parsed.Selected().Name != "choose" {
		store, err := builder.OpenStore("")
		if err != nil {
			return &failure{err, exitStore}
		}
		c.builder.Store, c.builder.Keychain = store, authn.NewMultiKeychain(store, authn.DefaultKeychain)
	}
	return parsed.Run(c)
}

// choose prints the value for CDK_DOCKER: the one in the environment, else the first client that works, else this
// program.
type choose struct{}

func (choose) Run(c *call) error {
	chosen := os.Getenv("CDK_DOCKER")
	if chosen == "" {
		chosen, _ = builder.Client(c.ctx)
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
