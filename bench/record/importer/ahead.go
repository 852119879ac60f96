package importer

import "io"

// ahead reads a stream while what it has read is being used: unpacking is half the work.
type ahead struct {
	blocks chan []byte // read
	free   chan []byte
	stop   chan struct{}
	err    error // behind the last block

	whole, left []byte // the current block, what of it is left
}

func newAhead(in io.Reader) *ahead {
	a := &ahead{blocks: make(chan []byte), free: make(chan []byte, 3), stop: make(chan struct{})}
	for range cap(a.free) {
		a.free <- make([]byte, 256<<10)
	}
	go a.fill(in)
	return a
}

// Close ends the reading.
func (a *ahead) Close() error {
	close(a.stop)
	for range a.blocks {
		continue // until fill has seen it: nobody reads the stream behind its owner's back
	}
	return nil
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.left) == 0 {
		if a.whole != nil {
			a.free <- a.whole
		}
		block, more := <-a.blocks
		if !more {
			a.whole = nil
			return 0, a.err
		}
		a.left, a.whole = block, block[:cap(block)]
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

func (a *ahead) fill(in io.Reader) {
	defer close(a.blocks)
	for a.err == nil {
		block := <-a.free
		n := 0
		for n < len(block) && a.err == nil {
			var read int
			read, a.err = in.Read(block[n:])
			n += read
		}
		select {
		case a.blocks <- block[:n]:
		case <-a.stop:
			return
		}
	}
}
