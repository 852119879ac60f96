package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The lab and process 1 of an execution environment speak over two pipes. The lab writes one frame with the Spec and then single
// bytes; the child writes frames with a message each.

// What the lab asks for, a byte each.
const (
	release byte = 'r' // start the bootstrap
	stop    byte = 's' // kill everything in the environment, process 1 apart
)

// message is what the child tells.
type message struct {
	Kind  messageKind
	Error string `json:",omitempty"`
	// PID of the bootstrap in the environment's own namespace.
	PID int `json:",omitempty"`
	// At is CLOCK_MONOTONIC in ns: one clock for every process of the machine.
	At int64 `json:",omitempty"`
	// Status is a wait status.
	Status uint32 `json:",omitempty"`
	// MaxRSSKiB is that of the bootstrap and the children it has waited for.
	MaxRSSKiB int64 `json:",omitempty"`
}

type messageKind string

const (
	msgAlive     messageKind = "alive"     // runs, and has yet to set anything up
	msgReady     messageKind = "ready"     // set up and blocked
	msgBroken    messageKind = "broken"    // could not be set up: Error
	msgStarted   messageKind = "started"   // At is the release, before fork and exec
	msgUnstarted messageKind = "unstarted" // could not be started: Error
	msgExited    messageKind = "exited"
	msgStopped   messageKind = "stopped"
)

// A frame is its length, 4 bytes little endian, and JSON.

func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > 1<<24 {
		return fmt.Errorf("frame of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
