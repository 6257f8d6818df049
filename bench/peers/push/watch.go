package main

import (
	"fmt"
	"math/rand/v2"
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

	mu sync.Mutex
	// By key less one.
	names []followed
	// Replica sets that are a leaf of a name's last tree, by encoded id.
	sets       map[string]*set
	stream     *stream
	digest     digest
	received   uint64
	sent       uint64
	ackedAt    time.Time
	receivedAt time.Time
	isAcking   bool
}

// followed is a name. hash and leaf are of the last tree, whichever stream it came on; mark is of this stream.
type followed struct {
	name string
	hash string
	leaf string
	mark uint32
	last update
}

type set struct {
	leaves int
	mark   uint32
	last   update
}

// newWatch follows one name that all streams follow, one that a hundred do, and the rest from a pool of a thousand.
func newWatch(f *fleet, index, names int) *watch {
	w := &watch{fleet: f, id: fmt.Sprintf("bench-%d", index), names: make([]followed, names)}
	for n := range names {
		switch n {
		case 0:
			w.names[n].name = "/svc/common"
		case 1:
			w.names[n].name = fmt.Sprintf("/svc/group-%d", index/100)
		default:
			w.names[n].name = fmt.Sprintf("/svc/pool-%d", (index*7+n)%1000)
		}
	}
	return w
}

func (w *watch) openOn(c *connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received, w.sent, w.ackedAt, w.isAcking = 0, 1, time.Time{}, false
	w.digest = digest{}
	w.sets = make(map[string]*set, len(w.names))
	request := message(nil, 1, message(message(nil, 1, []byte(w.id)), 2, []byte("bench")))
	for n := range w.names {
		f := &w.names[n]
		f.mark = 0
		if f.leaf != "" {
			w.setOf(f.leaf).leaves++
		}
		logical := message(message(nil, 1, []byte("default")), 2, path(f.name))
		request = message(request, 5, message(message(number(nil, 1, uint64(n+1)), 2, logical), 3, []byte(f.hash)))
	}
	w.stream = c.open("/nameplane.v1.Naming/Watch", number(request, 6, 1), false, w)
}

func (w *watch) setOf(id string) *set {
	s := w.sets[id]
	if s == nil {
		s = &set{}
		w.sets[id] = s
	}
	return s
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
		w.take(u)
		if !u.isPending {
			counted++
		}
	}
	if r.wantsHeld {
		w.fleet.asked.Add(1)
		w.sayHeld()
	}
	w.ackSoon(at, r.ackWithin)
	w.mu.Unlock()
	w.fleet.tally.add(counted, at)
}

func (w *watch) take(u update) {
	after := mark(u.hash, u.isStale)
	if u.key == 0 {
		s := w.setOf(u.id)
		w.digest.change(idMark(u.id), s.mark, after)
		s.mark, s.last = after, u
		return
	}
	f := &w.names[u.key-1]
	w.digest.change(u.key, f.mark, after)
	f.mark, f.last = after, u
	if !u.isTree {
		return
	}
	f.hash = u.hash
	if before := f.leaf; before != u.leaf {
		f.leaf = u.leaf
		if u.leaf != "" {
			w.setOf(u.leaf).leaves++
		}
		if before != "" {
			w.drop(before)
		}
	}
}

func (w *watch) drop(id string) {
	s := w.setOf(id)
	s.leaves--
	if s.leaves <= 0 {
		w.digest.change(idMark(id), s.mark, 0)
		delete(w.sets, id)
	}
}

// ackSoon says at once what has been received, or when the last ack is old enough, or at a random moment within so many ms.
func (w *watch) ackSoon(now time.Time, withinMs uint64) {
	if w.received == 0 || w.isAcking {
		return
	}
	w.receivedAt = now
	wait := max(ackEvery-now.Sub(w.ackedAt), time.Duration(rand.Float64()*float64(withinMs)*float64(time.Millisecond)))
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
	fields = protowire.AppendFixed64(protowire.AppendTag(fields, 3, protowire.Fixed64Type), w.digest.value())
	fields = number(fields, 4, uint64(now.Sub(w.receivedAt).Milliseconds()))
	w.send(message(nil, 7, fields))
}

func (w *watch) sayHeld() {
	var request []byte
	held := func(resource []byte, u update) {
		content := message(resource, 3, []byte(u.hash))
		if u.isStale {
			content = number(content, 4, 1)
		}
		request = message(request, 8, content)
	}
	for n, f := range w.names {
		held(number(nil, 1, uint64(n+1)), f.last)
	}
	for id, s := range w.sets {
		held(message(nil, 2, []byte(id)), s.last)
	}
	w.send(number(request, 9, 1))
}

func (w *watch) send(request []byte) {
	w.sent++
	w.stream.send(number(request, 6, w.sent))
}
