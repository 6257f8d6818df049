package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// fleet is all clients of the process.
type fleet struct {
	tally     tally
	opened    atomic.Int64
	connected atomic.Int64
	lost      atomic.Int64
	ended     atomic.Int64
	messages  atomic.Int64
	acks      atomic.Int64
	asked     atomic.Int64
}

func newFleet() *fleet { return &fleet{} }

func (f *fleet) report() map[string]any {
	f.tally.mu.Lock()
	updates := f.tally.total
	f.tally.mu.Unlock()
	return map[string]any{
		"streams": f.opened.Load(), "connected": f.connected.Load(), "lost": f.lost.Load(), "ended": f.ended.Load(),
		"messages": f.messages.Load(), "updates": updates, "acks": f.acks.Load(), "asked": f.asked.Load(),
	}
}

// open keeps o.Connections connections with o.Streams streams each, spread over the addresses.
func (f *fleet) open(o order) {
	for index := range o.Connections {
		m := &member{fleet: f, order: o, index: index}
		if o.Protocol == "watch" {
			for s := range o.Streams {
				m.watches = append(m.watches, newWatch(f, index*o.Streams+s, o.Names))
			}
		}
		go m.connect(index, firstBackoff)
		if index%50 == 49 {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// member is one connection that comes back.
type member struct {
	fleet   *fleet
	order   order
	index   int
	watches []*watch
}

func (m *member) connect(attempt int, backoff time.Duration) {
	address := m.order.Addresses[attempt%len(m.order.Addresses)]
	var opened time.Time
	c, err := dial(address, func() {
		m.fleet.lost.Add(1)
		m.fleet.connected.Add(-1)
		if time.Since(opened) > 10*time.Second {
			backoff = firstBackoff
		}
		m.again(attempt, backoff)
	})
	if err != nil {
		m.again(attempt, backoff)
		return
	}
	opened = time.Now()
	m.fleet.connected.Add(1)
	m.openStreams(c)
}

// again waits a random part of the back-off, as every client here has to.
func (m *member) again(attempt int, backoff time.Duration) {
	if !m.order.Returns {
		return
	}
	time.AfterFunc(time.Duration(rand.Int64N(int64(backoff))), func() {
		next := backoff
		if (attempt-m.index+1)%len(m.order.Addresses) == 0 {
			next = min(backoff*2, maxBackoff)
		}
		m.connect(attempt+1, next)
	})
}

func (m *member) openStreams(c *connection) {
	o := m.order
	for s := range o.Streams {
		switch o.Protocol {
		case "mesh-tree":
			c.open("/io.linkerd.mesh.Interpreter/StreamBoundTree", bindRequest(o.Path), true, &single{m.fleet})
		case "mesh-replicas":
			c.open("/io.linkerd.mesh.Resolver/StreamReplicas", replicasRequest(o.Path), true, &single{m.fleet})
		case "etcd":
			c.open("/etcdserverpb.Watch/Watch", etcdWatch(o.Path), false, &etcdWatcher{m.fleet})
		case "watch":
			m.watches[s].openOn(c)
		default:
			panic(fmt.Sprintf("no protocol %q", o.Protocol))
		}
		m.fleet.opened.Add(1)
	}
	c.flush()
}

// single is a stream of one resource: each message is an update.
type single struct{ fleet *fleet }

func (s *single) message(_ []byte, at time.Time) {
	s.fleet.messages.Add(1)
	s.fleet.tally.add(1, at)
}

func (s *single) ended() { s.fleet.ended.Add(1) }

// etcdWatcher is told first that it watches, which counts as an update.
type etcdWatcher struct{ fleet *fleet }

func (w *etcdWatcher) message(_ []byte, at time.Time) {
	w.fleet.messages.Add(1)
	w.fleet.tally.add(1, at)
}

func (w *etcdWatcher) ended() { w.fleet.ended.Add(1) }

// cycle opens and cancels streams, each after its first message.
func cycle(o order) {
	c, err := dial(o.Addresses[0], nil)
	if err != nil {
		panic(err)
	}
	defer c.close()
	slots := make(chan struct{}, o.Concurrent)
	began := time.Now()
	for range o.Count {
		slots <- struct{}{}
		once := &cycled{slots: slots}
		once.stream.Store(c.open("/io.linkerd.mesh.Interpreter/StreamBoundTree", bindRequest(o.Path), true, once))
		c.flush()
		once.settle()
	}
	for range o.Concurrent {
		slots <- struct{}{}
	}
	answer("cycled", map[string]any{"count": o.Count, "ms": time.Since(began).Milliseconds()})
}

// cycled is cancelled when it has got something and is known.
type cycled struct {
	slots  chan struct{}
	stream atomic.Pointer[stream]
	got    atomic.Bool
	isOver atomic.Bool
}

func (c *cycled) message(_ []byte, _ time.Time) {
	c.got.Store(true)
	c.settle()
}

func (c *cycled) ended() {
	if c.isOver.CompareAndSwap(false, true) {
		<-c.slots
	}
}

func (c *cycled) settle() {
	s := c.stream.Load()
	if s == nil || !c.got.Load() || !c.isOver.CompareAndSwap(false, true) {
		return
	}
	// The next one may come when the server has been told, or there would be more than are allowed.
	go func() {
		s.cancel()
		<-c.slots
	}()
}
