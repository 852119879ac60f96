package main

import (
	"bufio"
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/runtime/conformance"
)

// limit is the time for a start and an event, which take a second or two.
const limit = time.Minute

// trace calls used for every address that a cold start and an event execute, process by process, and for constants
// that they read, if the tracer sees those.
func trace(ctx context.Context, bash, folder string, asArgument bool, used func(uint64)) error {
	dir, err := os.MkdirTemp("", "twinstart-order-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	output := filepath.Join(dir, "trace")
	tracers, err := tracersOf(bash, output)
	if err != nil {
		return err
	}
	for _, tracer := range tracers {
		if err := coldStart(ctx, append(tracer, bash, filepath.Join(folder, "bootstrap")), folder, asArgument); err != nil {
			return fmt.Errorf("%s: %w", tracer[0], err)
		}
	}
	files, err := filepath.Glob(output + "*")
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, file := range files {
		if err := addresses(file, used); err != nil {
			return fmt.Errorf("reading a trace: %w", err)
		}
	}
	return nil
}

// tracersOf returns commands that run a program and write what it does to files whose names start with output. They
// write as they go, because the program is killed in the end. Valgrind runs programs of this machine only. Its
// command is a shell script, which sets PWD, so Bash need not look for its folder.
func tracersOf(bash, output string) ([][]string, error) {
	f, err := elf.Open(bash)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var machine string
	var own bool
	switch f.Machine {
	case elf.EM_X86_64:
		machine, own = "x86_64", runtime.GOARCH == "amd64"
	case elf.EM_AARCH64:
		machine, own = "aarch64", runtime.GOARCH == "arm64"
	default:
		return nil, fmt.Errorf("no tracer for %v", f.Machine)
	}
	all := [][]string{{"qemu-" + machine + "-static", "-d", "in_asm", "-D", output}}
	if own {
		all = append(all, []string{"valgrind", "-q", "--tool=lackey", "--trace-mem=yes", "--log-file=" + output + ".%p"})
	}
	return all, nil
}

// addresses reads a trace, of either tracer: "I  04001000,3", " L 04001000,8" (Valgrind), "0x00401000:  ..." (qemu).
func addresses(file string, used func(uint64)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	seen := map[uint64]bool{}
	for in.Scan() {
		line := in.Text()
		var digits string
		switch {
		case strings.HasPrefix(line, "0x"):
			digits, _, _ = strings.Cut(line[2:], ":")
		case strings.HasPrefix(line, "I  "), strings.HasPrefix(line, " L "):
			digits, _, _ = strings.Cut(line[3:], ",")
		default:
			continue
		}
		if address, err := strconv.ParseUint(digits, 16, 64); err == nil && !seen[address] {
			seen[address] = true
			used(address)
		}
	}
	return in.Err()
}

// Payloads of the one event: the shortest, and one as API Gateway sends it, for which Bash does more.
const (
	short = "{}"
	long  = `{"version":"2.0","routeKey":"$default","rawPath":"/hello","rawQueryString":"","headers":{"accept":"application/json",` +
		`"content-type":"text/plain; charset=utf-8","user-agent":"curl/8.5"},"requestContext":{"http":{"method":"POST","path":"/hello"},` +
		`"stage":"$default","timeEpoch":1795271814700},"body":"h\u00e9llo, \"world\"","isBase64Encoded":false}`
)

// coldStart runs a bootstrap until it asks for its second event. The handler's name is an argument, as in an image,
// or in the environment, as in a ZIP.
func coldStart(ctx context.Context, argv []string, folder string, asArgument bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c := api.Configuration{Name: "order", Version: "$LATEST", Handler: "handler.run", MemorySizeMB: 1024, LogGroup: "/aws/lambda/order",
		Environment: map[string]string{"LAMBDA_TASK_ROOT": folder}}
	payload := long
	if asArgument {
		argv = append(argv, c.Handler)
		c.Handler, payload = "", short
	}
	server, err := conformance.Listen(conformance.Event{Body: payload, Header: map[string]string{"Trace-Id": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"}})
	if err != nil {
		return err
	}
	defer server.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr // and no Dir: Go would set PWD, which Lambda does not
	cmd.Env = lab.Variables(c, nil, server.Address(), "order")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		conformance.KillAll(cmd.Process.Pid)
		_ = cmd.Wait()
	}()
	select {
	case <-server.Idle():
	case <-ctx.Done():
		return fmt.Errorf("no second GET /next: %w; it asked %v", ctx.Err(), server.Requests())
	}
	time.Sleep(time.Second / 2) // until both shells wait
	return nil
}
