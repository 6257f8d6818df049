package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	streamWindow     = 1 << 20
	connectionWindow = 1 << 24
)

// listener hears one stream. Messages are valid during the call only.
type listener interface {
	message(bytes []byte, at time.Time)
	ended()
}

// connection is one HTTP/2 connection without TLS on which gRPC streams are opened.
type connection struct {
	socket  net.Conn
	framer  *http2.Framer
	out     *outbox
	mu      sync.Mutex
	encoder *hpack.Encoder
	block   bytes.Buffer
	streams map[uint32]*stream
	nextID  uint32
	unacked uint32
	onLost  func()
}

type stream struct {
	id       uint32
	on       *connection
	listener listener
	partial  []byte
	unacked  uint32
}

func dial(address string, onLost func()) (*connection, error) {
	socket, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &connection{
		socket: socket, out: newOutbox(socket), streams: map[uint32]*stream{}, nextID: 1, onLost: onLost,
	}
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer = http2.NewFramer(c.out, bufio.NewReaderSize(socket, 1<<16))
	c.framer.SetReuseFrames()
	c.out.Write([]byte(http2.ClientPreface))
	c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow})
	c.framer.WriteWindowUpdate(0, connectionWindow)
	c.out.flush()
	go c.read()
	return c, nil
}

// open begins a call. `last`: no request follows; without one the request side stays open.
func (c *connection) open(path string, request []byte, last bool, l listener) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &stream{id: c.nextID, on: c, listener: l}
	c.nextID += 2
	c.streams[s.id] = s
	c.block.Reset()
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "nameplane"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		c.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: c.block.Bytes(), EndHeaders: true})
	c.writeMessage(s.id, request, last)
	return s
}

// flush sends what open has written.
func (c *connection) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.flush()
}

func (c *connection) writeMessage(id uint32, message []byte, last bool) {
	framed := make([]byte, 5, 5+len(message))
	binary.BigEndian.PutUint32(framed[1:], uint32(len(message)))
	framed = append(framed, message...)
	for len(framed) > 16_384 {
		c.framer.WriteData(id, false, framed[:16_384])
		framed = framed[16_384:]
	}
	c.framer.WriteData(id, last, framed)
}

func (s *stream) send(message []byte) {
	c := s.on
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeMessage(s.id, message, false)
	c.out.flush()
}

func (s *stream) cancel() {
	c := s.on
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, s.id)
	c.framer.WriteRSTStream(s.id, http2.ErrCodeCancel)
	c.out.flush()
}

func (c *connection) close() {
	c.socket.Close()
	c.out.close()
}

func (c *connection) read() {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			var streamError http2.StreamError
			if errors.As(err, &streamError) {
				continue
			}
			c.close()
			if c.onLost != nil {
				c.onLost()
			}
			return
		}
		c.take(frame)
	}
}

func (c *connection) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.write(func() { c.framer.WriteSettingsAck() })
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			c.write(func() { c.framer.WritePing(true, f.Data) })
		}
	case *http2.HeadersFrame:
		if f.StreamEnded() {
			c.end(f.StreamID)
		}
	case *http2.RSTStreamFrame:
		c.end(f.StreamID)
	case *http2.DataFrame:
		c.takeData(f)
	}
}

func (c *connection) write(frame func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frame()
	c.out.flush()
}

func (c *connection) end(id uint32) {
	c.mu.Lock()
	s := c.streams[id]
	delete(c.streams, id)
	c.mu.Unlock()
	if s != nil {
		s.listener.ended()
	}
}

func (c *connection) takeData(f *http2.DataFrame) {
	now := time.Now()
	c.mu.Lock()
	s := c.streams[f.StreamID]
	c.mu.Unlock()
	size := f.Length
	c.unacked += size
	if c.unacked > connectionWindow/2 {
		c.write(func() { c.framer.WriteWindowUpdate(0, c.unacked) })
		c.unacked = 0
	}
	if s == nil {
		return
	}
	s.unacked += size
	if s.unacked > streamWindow/2 {
		c.write(func() { c.framer.WriteWindowUpdate(s.id, s.unacked) })
		s.unacked = 0
	}
	s.take(f.Data(), now)
	if f.StreamEnded() {
		c.end(f.StreamID)
	}
}

// take cuts the bytes into messages.
func (s *stream) take(data []byte, now time.Time) {
	if len(s.partial) > 0 {
		s.partial = append(s.partial, data...)
		data = s.partial
	}
	for len(data) >= 5 {
		end := 5 + int(binary.BigEndian.Uint32(data[1:5]))
		if len(data) < end {
			break
		}
		s.listener.message(data[5:end], now)
		data = data[end:]
	}
	if len(data) == 0 {
		s.partial = nil
	} else {
		s.partial = append([]byte(nil), data...)
	}
}
