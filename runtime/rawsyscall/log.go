package main

// logMemory holds the line being built.
var logMemory [4 << 10]byte

// logged starts a line of the log; written ends it.
func logged(parts ...string) *text {
	logLine = in(logMemory[:len(logMemory)-1])
	return logLine.add("twinstart: ").add(parts...)
}

var logLine text

// written writes the line.
func (t *text) written() {
	logMemory[len(t.bytes)] = '\n'
	write(2, logMemory[:len(t.bytes)+1])
}

// die ends the program after a line about the reason. Lambda starts another environment.
func die(line *text) {
	line.written()
	exit(1)
}
