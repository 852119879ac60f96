package staticbash

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/twinstart/twinstart/arm"
)

// docker runs the recipe in Alpine Linux, whose GCC builds against musl, on the architecture asked for (a foreign one needs
// Docker's emulation). Alpine mends its compiler within a release: the bytes stay the same for a cache's life, not for ever.
type docker struct{}

const dockerImage = "alpine:3.22"

func (docker) identity(context.Context, arm.Architecture) (string, error) {
	return "gcc of " + dockerImage, nil
}

func (docker) prepare(ctx context.Context, _ arm.Architecture) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return errors.New("docker is not in PATH")
	}
	if err := quiet(exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}")); err != nil {
		return errors.New("no Docker daemon answers")
	}
	return nil
}

func (docker) command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error) {
	return exec.CommandContext(ctx, "docker", dockerArgs(a, work)...), nil
}

// dockerArgs mounts the work folder, which then holds build/bash. The last line hands the files to whom the folder belongs, so that
// they can be removed.
func dockerArgs(a arm.Architecture, work string) []string {
	args := []string{"run", "--rm", "--platform", "linux/" + a.GOARCH(), "--volume", work + ":/work", "--workdir", "/work/build"}
	for _, variable := range []string{"SOURCE=../source", "ORDER=../order.txt", "PARTS=../src", "STRIP=-s", "MACHINE=" + machine(a), "CC=gcc", "AR=ar", "RANLIB=ranlib",
		"CC_FOR_BUILD=gcc", fmt.Sprint("JOBS=", runtime.NumCPU())} {
		args = append(args, "--env", variable)
	}
	return append(args, dockerImage, "sh", "-c",
		"apk add --quiet --no-cache build-base && sh -c \"$1\"; status=$?; chown -R \"$(stat -c %u:%g /work)\" /work; exit $status",
		"recipe", recipe)
}
