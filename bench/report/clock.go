package report

// Clock names what a time covers. Times of different clocks are never compared.
type Clock string

// The clocks of a cold start, of a warm invocation and of a load. Claims do not use ClockFirst: the first invocation is
// part of the cold total. A load is compared by repeats: the median of a repeat is one value.
const (
	ClockInit  Clock = "INIT"
	ClockFirst Clock = "first invocation"
	ClockTotal Clock = "cold total"
	ClockWait  Clock = "caller's wait"
	ClockWarm  Clock = "warm Duration"
	ClockLoad  Clock = "latency under load"
)

var (
	coldClocks  = []Clock{ClockInit, ClockTotal, ClockWait}             // of cold starts, for claims
	allClocks   = []Clock{ClockInit, ClockTotal, ClockWait, ClockWarm}  // all clocks that claims use without a load
	startClocks = []Clock{ClockFirst, ClockInit, ClockTotal, ClockWait} // all clocks of a cold start
)

// Means says what a clock measures.
func (c Clock) Means() string {
	return map[Clock]string{
		ClockInit:  "Init Duration",
		ClockTotal: "INIT + first Duration",
		ClockWait:  "client clock around a cold start",
		ClockWarm:  "Duration of a warm invocation",
		ClockLoad:  "from when a request was due until its response",
	}[c]
}
