package main

import (
	"net"
	"sync"
)

// outbox takes what is to be written and never makes the writer wait: whoever reads must not hang on a peer that reads only
// when it is read. Calls are the caller's to order.
type outbox struct {
	socket  net.Conn
	mu      sync.Mutex
	ready   *sync.Cond
	filling []byte
	waiting []byte
	isOver  bool
}

func newOutbox(socket net.Conn) *outbox {
	o := &outbox{socket: socket}
	o.ready = sync.NewCond(&o.mu)
	go o.run()
	return o
}

// Write keeps bytes for the next flush.
func (o *outbox) Write(bytes []byte) (int, error) {
	o.filling = append(o.filling, bytes...)
	return len(bytes), nil
}

// flush hands over what was written.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, o.filling...)
	o.filling = o.filling[:0]
	o.ready.Signal()
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isOver = true
	o.ready.Signal()
}

func (o *outbox) run() {
	var sending []byte
	for {
		o.mu.Lock()
		for len(o.waiting) == 0 && !o.isOver {
			o.ready.Wait()
		}
		if o.isOver {
			o.mu.Unlock()
			return
		}
		sending, o.waiting = o.waiting, sending[:0]
		o.mu.Unlock()
		if _, err := o.socket.Write(sending); err != nil {
			o.socket.Close()
			return
		}
	}
}
