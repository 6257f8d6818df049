// One watch as linkerd keeps it: a stream that is opened again whenever it ends, after a jittered wait that doubles from one
// end to the next until a message comes. Knows no message.
package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type watch struct {
	conn    *grpc.ClientConn
	method  string
	request []byte
	base    time.Duration
	max     time.Duration
	// Takes a message; an error ends the stream.
	take func([]byte) error
	// Told of each end of the stream that is not ours.
	ended func(reason *status.Status, wait time.Duration)
}

// Returns when `ctx` is over.
func (w watch) run(ctx context.Context) {
	wait := w.base
	for ctx.Err() == nil {
		heard, err := w.readAll(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard {
			wait = w.base
		}
		pause := wait/2 + rand.N(wait/2+1)
		w.ended(reasonOf(err), pause)
		wait = min(2*wait, w.max)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Reads one stream to its end.
func (w watch) readAll(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, w.method)
	if err != nil {
		return false, err
	}
	if err := stream.SendMsg(w.request); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if err := stream.CloseSend(); err != nil {
		return false, err
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return heard, err
		}
		heard = true
		if err := w.take(message); err != nil {
			return heard, err
		}
	}
}

func reasonOf(err error) *status.Status {
	if errors.Is(err, io.EOF) {
		return status.New(codes.OK, "")
	}
	return status.Convert(err)
}
