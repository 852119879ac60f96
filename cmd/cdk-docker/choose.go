package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// clients can stand behind CDK_DOCKER, each with a question that only succeeds when it could build an image now. The order is the
// users': docker is the CDK CLI's own default.
var clients = [][]string{
	{"docker", "version", "--format", "{{.Server.Version}}"},
	{"podman", "info"},
	{"finch", "info"},
}

// choose prints what CDK_DOCKER should be: what the environment says, else the first client that works, else this very program.
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
