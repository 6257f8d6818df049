package main

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// ackEvery is the least time between two acks of one stream.
const ackEvery = 100 * time.Millisecond

// watch is one stream of nameplane.v1.Naming/Watch and what it holds; it outlives the connection.
type watch struct {
	fleet *fleet
	id    string
	names []string

	mu       sync.Mutex
	stream   *stream
	keys     map[uint32]string
	ids      map[string]string
	received uint64
	sent     uint64
	ackedAt  time.Time
	isAcking bool
}

// newWatch follows one name that all streams follow, one that a hundred do, and the rest from a pool of a thousand.
func newWatch(f *fleet, index, names int) *watch {
	w := &watch{fleet: f, id: fmt.Sprintf("bench-%d", index), keys: map[uint32]string{}, ids: map[string]string{}}
	for n := range names {
		switch n {
		case 0:
			w.names = append(w.names, "/svc/common")
		case 1:
			w.names = append(w.names, fmt.Sprintf("/svc/group-%d", index/100))
		default:
			w.names = append(w.names, fmt.Sprintf("/svc/pool-%d", (index*7+n)%1000))
		}
	}
	for n := range w.names {
		w.keys[uint32(n+1)] = ""
	}
	return w
}

func (w *watch) openOn(c *connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received, w.sent, w.ackedAt, w.isAcking = 0, 1, time.Time{}, false
	w.ids = map[string]string{}
	request := message(nil, 1, message(message(nil, 1, []byte(w.id)), 2, []byte("bench")))
	for n, name := range w.names {
		key := uint32(n + 1)
		logical := message(message(nil, 1, []byte("default")), 2, path(name))
		request = message(request, 5, message(message(number(nil, 1, uint64(key)), 2, logical), 3, []byte(w.keys[key])))
	}
	w.stream = c.open("/nameplane.v1.Naming/Watch", number(request, 6, 1), false, w)
}

func (w *watch) ended() { w.fleet.ended.Add(1) }

func (w *watch) message(bytes []byte, at time.Time) {
	w.fleet.messages.Add(1)
	w.mu.Lock()
	r := readResponse(bytes)
	if r.sequence != 0 && r.sequence <= w.received {
		w.mu.Unlock()
		return
	}
	w.received = r.sequence
	counted := 0
	for _, u := range r.updates {
		counted += w.take(u)
	}
	if r.wantsHeld {
		w.fleet.asked.Add(1)
		w.sayHeld()
	}
	w.ackSoon(at)
	w.mu.Unlock()
	w.fleet.tally.add(counted, at)
}

// take keeps the hash of an update; 1 when it says something of a name or of a set of endpoints.
func (w *watch) take(u update) int {
	if u.key != 0 {
		w.keys[u.key] = u.hash
	} else {
		w.ids[u.id] = u.hash
	}
	if u.isPending {
		return 0
	}
	return 1
}

// ackSoon says at once what has been received, or when the last ack is old enough.
func (w *watch) ackSoon(now time.Time) {
	if w.received == 0 || w.isAcking {
		return
	}
	wait := ackEvery - now.Sub(w.ackedAt)
	if wait <= 0 {
		w.ack(now)
		return
	}
	w.isAcking = true
	s := w.stream
	time.AfterFunc(wait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if s == w.stream {
			w.isAcking = false
			w.ack(time.Now())
		}
	})
}

func (w *watch) ack(now time.Time) {
	w.ackedAt = now
	w.fleet.acks.Add(1)
	fields := number(number(nil, 1, w.received), 2, w.received)
	fields = protowire.AppendFixed64(protowire.AppendTag(fields, 3, protowire.Fixed64Type), w.digest())
	w.send(message(nil, 7, fields))
}

func (w *watch) sayHeld() {
	var request []byte
	for key, hash := range w.keys {
		request = message(request, 8, message(number(nil, 1, uint64(key)), 3, []byte(hash)))
	}
	for id, hash := range w.ids {
		request = message(request, 8, message(message(nil, 2, []byte(id)), 3, []byte(hash)))
	}
	w.send(number(request, 9, 1))
}

func (w *watch) send(request []byte) {
	w.sent++
	w.stream.send(number(request, 6, w.sent))
}

func (w *watch) digest() uint64 { return 0 }
