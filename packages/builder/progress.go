package builder

// Progress receives reports about what is going on. Its methods, and those of its tasks, are called from several
// goroutines.
type Progress interface {
	// Start reports the start of something that moves bytes: a layer that is written, pulled or pushed. If it
	// returns nil, the bytes are not reported.
	Start(what string, bytes int64) Task
	// Note reports one line of text, without a newline.
	Note(line string)
}

// Task is one thing that moves bytes.
type Task interface {
	Add(bytes int64) // bytes may be negative if a retry starts again
	Done(err error)  // is called once
}

func (b *Builder) start(what string, bytes int64) Task {
	if b.Progress != nil {
		if task := b.Progress.Start(what, bytes); task != nil {
			return task
		}
	}
	return silent{}
}

func (b *Builder) note(line string) {
	if b.Progress != nil {
		b.Progress.Note(line)
	}
}

type silent struct{}

func (silent) Add(int64)  {}
func (silent) Done(error) {}
