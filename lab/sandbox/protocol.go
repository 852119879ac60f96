package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The lab and process 1 of an execution environment talk over two pipes. The lab writes one frame with the Spec,
// and then single bytes. The child writes frames with one message each.

// The lab's commands, one byte each.
const (
	release byte = 'r' // start the bootstrap
	stop    byte = 's' // kill everything in the environment except process 1
	freeze  byte = 'f' // stop all processes where they are
	thaw    byte = 't' // let them go on
	extend  byte = 'x' // start the extensions
	end     byte = 'e' // SIGTERM to the bootstrap's group
)

// message is a message of the child.
type message struct {
	Kind  messageKind
	Error string `json:",omitempty"`
	// Extension is the extension that the message is about; "" means the bootstrap.
	Extension string `json:",omitempty"`
	// PID is the bootstrap's process ID in the environment's own namespace.
	PID int `json:",omitempty"`
	// At is CLOCK_MONOTONIC in ns, a clock that all processes of the machine share.
	At int64 `json:",omitempty"`
	// Status is a wait status.
	Status uint32 `json:",omitempty"`
	// MaxRSSKiB is the peak of the bootstrap and of the children that it has waited for.
	MaxRSSKiB int64 `json:",omitempty"`
}

type messageKind string

const (
	msgAlive     messageKind = "alive"     // runs and has not set up anything yet
	msgReady     messageKind = "ready"     // set up and blocked
	msgBroken    messageKind = "broken"    // could not be set up; Error says why
	msgStarted   messageKind = "started"   // At is the time of the release, before fork and exec
	msgUnstarted messageKind = "unstarted" // could not be started; Error says why
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
