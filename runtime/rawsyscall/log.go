package main

// logMemory holds the log line that is being built.
var logMemory [4 << 10]byte

// logged starts a log line; written writes it.
func logged(parts ...string) *text {
	logLine = in(logMemory[:len(logMemory)-1])
	return logLine.add("twinstart: ").add(parts...)
}

var logLine text

// written appends a newline and writes the line to the log.
func (t *text) written() {
	logMemory[len(t.bytes)] = '\n'
	write(2, logMemory[:len(t.bytes)+1])
}

// die writes a line with the reason and ends the program. Lambda then starts another environment.
func die(line *text) {
	line.written()
	exit(1)
}
