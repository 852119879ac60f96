package builder

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// clients lists the programs that CDK_DOCKER can name, in the order of preference, each with a question that it
// answers, by its version, only if it could build an image now. docker is the default of the CDK CLI.
var clients = [][]string{
	{"docker", "version", "--format", "{{.Server.Version}}"},
	{"podman", "info", "--format", "{{.Version.Version}}"},
	{"finch", "info", "--format", "{{.ServerVersion}}"},
}

// Client returns the first of docker, podman and finch that works, and its version; "" if none does.
func Client(ctx context.Context) (name, version string) {
	for _, question := range clients {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		cmd := exec.CommandContext(ctx, question[0], question[1:]...)
		cmd.WaitDelay = time.Second
		answer, err := cmd.Output()
		cancel()
		if err == nil {
			return question[0], strings.TrimSpace(string(answer))
		}
	}
	return "", ""
}
