// Bootstrap is the bootstrap of the lab's tests. The event's field "do" says what an invocation does, and the variable
// INIT says what INIT does.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

// post sends a document to the Runtime API and returns the status. errorType is the type of an error, or "".
func post(path, body, errorType string) int {
	r, _ := http.NewRequest("POST", api+path, strings.NewReader(body))
	if errorType != "" {
		r.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response.StatusCode
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Println("init says goodbye")
		os.Exit(7)
	case "error":
		post("init/error", `{"errorType":"Runtime.NoSuchHandler","errorMessage":"no such handler"}`, "Runtime.NoSuchHandler")
		os.Exit(1)
	case "once": // only the first INIT in an environment fails
		if _, err := os.Stat("/tmp/again"); err != nil {
			os.WriteFile("/tmp/again", nil, 0o600)
			os.Exit(3)
		}
	case "slow":
		time.Sleep(time.Minute)
	}
	if os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start" {
		restore(os.Getenv("SNAPSTART"))
	}
	invocations := 0
	for {
		response, err := http.Get(api + "invocation/next")
		if err != nil {
			os.Exit(8)
		}
		event, _ := io.ReadAll(response.Body)
		response.Body.Close()
		invocations++
		handle(response.Header, event, invocations)
	}
}

// restore follows SnapStart's protocol. does is the variable SNAPSTART and says what a hook does.
func restore(does string) {
	hook := func(name, path, kind string) {
		switch does {
		case name + " fails":
			post(path, `{"errorType":"`+kind+`","errorMessage":"as asked"}`, kind)
			os.Exit(1)
		case name + " hangs":
			time.Sleep(time.Minute)
		}
	}
	if does == "unaware" {
		return
	}
	hook("before", "init/error", "Runtime.BeforeSnapshotError")
	response, err := http.Get(api + "restore/next")
	if err != nil || response.StatusCode != http.StatusOK {
		os.Exit(6)
	}
	response.Body.Close()
	hook("after", "restore/error", "Runtime.AfterRestoreError")
}

func handle(h http.Header, event []byte, n int) {
	id := h.Get("Lambda-Runtime-Aws-Request-Id")
	var in struct {
		Do   string `json:"do"`
		Size int    `json:"size"`
		Path string `json:"path"`
	}
	json.Unmarshal(event, &in)
	answer := func(v any) {
		text, _ := json.Marshal(v)
		post("invocation/"+id+"/response", string(text), "")
	}
	switch in.Do {
	case "log":
		fmt.Fprintf(os.Stderr, "to stderr, unended")
		answer("logged")
	case "chatter":
		for written := 0; written < in.Size; {
			n, _ := fmt.Println("line", written)
			written += n
		}
		answer("said")
	case "exit":
		os.Exit(4)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "drop": // answers, asks for the next event, closes that connection, and ends after size ms
		answer("dropped")
		conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		if err != nil {
			os.Exit(8)
		}
		fmt.Fprint(conn, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
		time.Sleep(100 * time.Millisecond)
		conn.Close()
		fmt.Println("closed")
		time.Sleep(time.Duration(in.Size) * time.Millisecond)
		os.Exit(5)
	case "listen":
		l, err := net.Listen("tcp", in.Path)
		if err == nil {
			defer l.Close()
		}
		fmt.Println("listening:", err)
		time.Sleep(time.Duration(in.Size) * time.Millisecond)
		answer(n)
	case "sleep":
		time.Sleep(time.Minute)
	case "fail":
		post("invocation/"+id+"/error", `{"errorType":"Custom","errorMessage":"as asked"}`, "Custom")
	case "large":
		if status := post("invocation/"+id+"/response", strings.Repeat("x", in.Size), ""); status != http.StatusAccepted {
			fmt.Println("status", status)
		}
	case "grow":
		hold := make([]byte, in.Size)
		for i := 0; i < len(hold); i += 4096 {
			hold[i] = 1
		}
		answer(len(hold))
	case "about":
		about := map[string]any{"n": n, "env": os.Environ(), "args": os.Args, "pid": os.Getpid(), "header": h}
		about["uid"], about["gid"] = os.Getuid(), os.Getgid()
		about["cwd"], _ = os.Getwd()
		about["hostname"], _ = os.Hostname()
		about["tmp"] = os.WriteFile("/tmp/x", []byte("x"), 0o600) == nil
		about["task"] = os.WriteFile("/var/task/x", []byte("x"), 0o600) == nil
		about["usr"] = os.WriteFile("/usr/x", []byte("x"), 0o600) == nil
		about["host"] = exists("/root") || exists("/work") || exists("/home")
		status, _ := os.ReadFile("/proc/self/status")
		about["status"] = string(status)
		mounts, _ := os.ReadFile("/proc/self/mountinfo")
		about["mounts"] = string(mounts)
		answer(about)
	case "shell":
		out, err := exec.Command("/bin/bash", "-c", in.Path).CombinedOutput()
		answer(fmt.Sprint(string(out), err))
	case "syscall": // number and arguments
		var call [7]uintptr
		json.Unmarshal([]byte(in.Path), &call)
		_, _, errno := syscall.Syscall6(call[0], call[1], call[2], call[3], call[4], call[5], call[6])
		answer(errno.Error())
	case "read":
		content, err := os.ReadFile(in.Path)
		answer(fmt.Sprint(len(content), err))
	case "slow":
		time.Sleep(time.Duration(in.Size) * time.Millisecond)
		answer(n)
	case "hold": // until the test opens its gate
		http.Get(os.Getenv("AWS_ENDPOINT_URL_GATE"))
		answer(n)
	case "cpu":
		// It uses size ms of CPU time and answers with the share of a CPU that it got.
		began, before := time.Now(), cpu()
		for cpu()-before < time.Duration(in.Size)*time.Millisecond {
		}
		answer(float64(cpu()-before) / float64(time.Since(began)))
	default:
		post("invocation/"+id+"/response", string(event), "")
	}
}

// cpu returns the CPU time used so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
