// Very many clients of a push server in one process, as cheap as can be: raw HTTP/2 frames, messages read field by field.
// Orders come as lines of JSON on standard input, answers go as lines of JSON to standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

// order is what the benchmark asks for; which fields count depends on Do.
type order struct {
	Do string `json:"do"`
	// open: what every stream speaks ("mesh-tree", "mesh-replicas", "watch", "etcd"), where, and how many of what.
	Protocol    string   `json:"protocol"`
	Addresses   []string `json:"addresses"`
	Connections int      `json:"connections"`
	Streams     int      `json:"streams"`
	// Names that each stream of "watch" follows; of the others each stream follows Path.
	Names int    `json:"names"`
	Path  string `json:"path"`
	// open: come back with jitter when a connection is lost.
	Returns bool `json:"returns"`
	// expect: so many updates. cycle: so many streams opened and cancelled, so many at a time.
	Count      int `json:"count"`
	Concurrent int `json:"concurrent"`
}

func answer(event string, fields map[string]any) {
	fields["event"] = event
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func main() {
	debug.SetGCPercent(400)
	fleet := newFleet()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			fmt.Fprintln(os.Stderr, "not an order:", err)
			os.Exit(2)
		}
		switch o.Do {
		case "open":
			fleet.open(o)
		case "expect":
			fleet.tally.expect(o.Count)
			answer("expecting", map[string]any{"count": o.Count})
		case "report":
			answer("report", fleet.report())
		case "cycle":
			go cycle(o)
		default:
			fmt.Fprintln(os.Stderr, "no such order:", o.Do)
			os.Exit(2)
		}
	}
}
