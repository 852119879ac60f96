package importer

import "io"

// ahead unpacks a stream while what came before is being used: unpacking is half the work.
type ahead struct {
	*io.PipeReader
	done chan struct{}
}

func newAhead(in io.Reader) *ahead {
	r, w := io.Pipe()
	a := &ahead{r, make(chan struct{})}
	go func() {
		defer close(a.done)
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	return a
}

// Close ends the reading, and waits for it: nobody reads the stream behind its owner's back.
func (a *ahead) Close() error {
	err := a.PipeReader.Close()
	<-a.done
	return err
}
