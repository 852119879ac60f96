package main

import "unsafe"

// takeSnapshot follows SnapStart's protocol between INIT and the first event. Lambda makes the snapshot during GET
// /restore/next, and its answer comes once in each environment that is restored. A worker that replaces this one
// later runs no hooks, like a worker without SnapStart.
func takeSnapshot() {
	const path, failed = apiBase + "/restore/next", apiBase + "/restore/error"
	f := theWorker.runHook("before_snapshot\x00", "Runtime.BeforeSnapshotError")
	if f != nil {
		failInit(f)
	}
	if response := exchangePatiently(path); response.Status != 200 {
		die(answered("GET ", path, response))
	}
	settings.snapshot = false
	if f = theWorker.runHook("after_restore\x00", "Runtime.AfterRestoreError"); f != nil {
		failEnvironment(failed, f)
	}
}

// runHook runs a function of the handler's file, if there is one, in the worker or else in a process of its own. Its
// stdout is the log.
func (w *worker) runHook(name, kind string) *failure {
	if !perEvent() {
		_ = send(w.control, bytesOf("!")) // an error means that the worker has ended, and attend finds that out
		return w.reach(0, kind)
	}
	if handler.function == "" {
		return nil
	}
	startShell(hookScript, unsafe.StringData(name), nil)
	starting.stdin, starting.stdout, starting.control = openNull(), closed, closed
	tail.Reset()
	f := w.spawn()
	shut(&starting.stdin)
	if f != nil {
		return f
	}
	w.attend(0)
	if status := w.bury(); !status.Exited() || status.ExitStatus() != 0 {
		return ended(kind, kind, status)
	}
	return nil
}

// hooksMemory holds the script of a worker with hooks.
var hooksMemory [8 << 10]byte
