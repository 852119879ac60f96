package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestConcurrency(t *testing.T) {
	e := start(t, `n=0
run() { n=$((n + 1)); : >"$LAMBDA_TASK_ROOT/at-$1"; until [[ -e $LAMBDA_TASK_ROOT/at-1 && -e $LAMBDA_TASK_ROOT/at-2 && -e $LAMBDA_TASK_ROOT/at-3 ]]; do sleep 0.01; done
printf '%s %s %s %s' "$1" "$LAMBDA_RUNTIME_AWS_REQUEST_ID" "$_X_AMZN_TRACE_ID" "$n"; }
`, "AWS_LAMBDA_MAX_CONCURRENCY=3")
	for range 3 {
		e.ready(t)
	}
	select {
	case <-e.api.asked:
		t.Error("more than 3 ask for events")
	case <-time.After(50 * time.Millisecond):
	}
	var wait sync.WaitGroup
	for i := 1; i <= 3; i++ {
		wait.Go(func() {
			id := fmt.Sprint("id-", i)
			o := e.api.invoke(t, event{id: id, body: fmt.Sprint(i), header: map[string]string{"Trace-Id": "Root=" + id}})
			if want := fmt.Sprintf("%d %s Root=%s 1", i, id, id); string(o.body) != want {
				t.Errorf("got %q, want %q", o.body, want) // each event waits for the others, so they must run at the same time
			}
		})
	}
	wait.Wait()
}

// TestConcurrentWorkersKilled kills the workers of several loops at random moments, and lets some events reach
// their deadline. Every outcome must belong to its own event, and the loops must go on.
func TestConcurrentWorkersKilled(t *testing.T) {
	const loops, each = 4, 250
	e := start(t, `run() { [[ $1 != *slow ]] || sleep 5; printf '%s %s' "$LAMBDA_RUNTIME_AWS_REQUEST_ID" "$1"; }
`, "AWS_LAMBDA_MAX_CONCURRENCY=4")
	for range loops {
		e.ready(t)
	}
	stop, killed := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				killed <- n
				return
			case <-time.After(time.Duration(rand.IntN(20_000)) * time.Microsecond):
			}
			for _, loop := range childrenOf(e.Process.Pid) {
				for _, worker := range childrenOf(loop) {
					if rand.IntN(16) == 0 && syscall.Kill(worker, syscall.SIGKILL) == nil {
						n++
					}
				}
			}
		}
	}()
	var wait sync.WaitGroup
	var late atomic.Int64
	for client := range loops {
		wait.Go(func() {
			for i := range each {
				event := event{id: fmt.Sprintf("id-%d-%d", client, i), body: fmt.Sprintf("body-%d-%d", client, i)}
				if i%50 == 49 {
					event.body += "slow"
					event.deadline = 300 * time.Millisecond
				}
				o := e.api.invoke(t, event)
				if strings.Contains(string(o.body), "Function.TimedOut") {
					late.Add(1)
				}
				if o.event != event.id || o.verb == "response" && string(o.body) != event.id+" "+event.body {
					t.Errorf("event %s: %s of %s, %q", event.id, o.verb, o.event, o.body)
				}
			}
		})
	}
	wait.Wait()
	close(stop)
	t.Logf("%d invocations, %d workers killed, %d past their deadline", loops*each, <-killed, late.Load())
	if n := len(childrenOf(e.Process.Pid)); n != loops {
		t.Errorf("%d loops are left", n)
	}
}

func TestConcurrencyInitError(t *testing.T) {
	e := start(t, "echo no >&2\nexit 3\n", "AWS_LAMBDA_MAX_CONCURRENCY=4")
	if status := e.ends(t); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	if report := <-e.api.initErrors; !strings.Contains(report, `"errorMessage":"no"`) || len(e.api.initErrors) != 0 || len(e.api.asked) != 0 {
		t.Errorf("got %q, %d more reports, %d requests for an event", report, len(e.api.initErrors), len(e.api.asked))
	}
}

// If one loop ends, the environment must end and leave no process.
func TestConcurrencyEnd(t *testing.T) {
	e := start(t, "run() { kill -9 $PPID; sleep 60; }\n", "AWS_LAMBDA_MAX_CONCURRENCY=2")
	e.ready(t)
	e.api.events <- &event{id: "id-1", outcome: make(chan outcome, 1)}
	if status := e.ends(t); status <= 0 {
		t.Errorf("status %d, want a failure", status)
	}
	noneIn(t, e.Process.Pid)
}

func TestConcurrencyInvalid(t *testing.T) {
	for _, value := range []string{"0", "-1", "x", "1001", "99999999999999999999"} {
		e := start(t, "run() { :; }\n", "AWS_LAMBDA_MAX_CONCURRENCY="+value)
		if status := e.ends(t); status != 1 || !strings.Contains(<-e.api.initErrors, "Runtime.ConfigInvalid") {
			t.Errorf("%s: status %d", value, status)
		}
	}
}
