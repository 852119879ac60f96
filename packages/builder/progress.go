package builder

// Progress is told what goes on. Its methods, and those of its tasks, are called from several goroutines.
type Progress interface {
	// Start begins something that moves a number of bytes: a layer that is written, pulled or pushed.
	Start(what string, bytes int64) Task
	// Note says something in passing: one line, without its end.
	Note(line string)
}

// Task is one thing that moves.
type Task interface {
	Add(bytes int64) // may be negative, where a retry starts over
	Done(err error)  // once
}

func (b *Builder) start(what string, bytes int64) Task {
	if b.Progress == nil {
		return silent{}
	}
	return b.Progress.Start(what, bytes)
}

func (b *Builder) note(line string) {
	if b.Progress != nil {
		b.Progress.Note(line)
	}
}

type silent struct{}

func (silent) Add(int64)  {}
func (silent) Done(error) {}
