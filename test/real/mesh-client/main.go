// A linkerd as its naming server sees it: the calls that linkerd's mesh interpreter makes, in its order, over one HTTP/2
// connection. For each state that linkerd would hand to its router it prints a line of JSON. It routes nothing.
//
//	mesh-client -server 127.0.0.1:4321 -root default /svc/web /svc/users
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const version = "1.0.0"

type options struct {
	server      string
	root        string
	dtab        string
	retryBase   time.Duration
	retryMax    time.Duration
	windowBytes int
	names       []string
}

func main() {
	options, ok := parseOptions()
	if !ok {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, options); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Without a name there is nothing to do; `-version` says which client this is.
func parseOptions() (options, bool) {
	var o options
	showVersion := flag.Bool("version", false, "print the version")
	flag.StringVar(&o.server, "server", "127.0.0.1:4321", "host:port of the naming server")
	flag.StringVar(&o.root, "root", "default", "the namespace, the one segment of linkerd's root")
	flag.StringVar(&o.dtab, "dtab", "", "local rules of every name, as text")
	flag.DurationVar(&o.retryBase, "retry-base", time.Second, "linkerd's retry.baseSeconds")
	flag.DurationVar(&o.retryMax, "retry-max", 600*time.Second, "linkerd's retry.maxSeconds")
	flag.IntVar(&o.windowBytes, "window", 65535, "HTTP/2 window of a stream and of the connection")
	flag.Parse()
	if *showVersion {
		fmt.Println("mesh-client", version)
		return o, false
	}
	o.names = flag.Args()
	return o, true
}

func run(ctx context.Context, o options) error {
	conn, err := dial(o)
	if err != nil {
		return err
	}
	defer conn.Close()
	showDtab(ctx, conn, o.root)
	local, err := readLocalDtab(ctx, conn, o.dtab)
	if err != nil {
		return err
	}
	newRouter(conn, o, local).run(ctx)
	return nil
}

func dial(o options) (*grpc.ClientConn, error) {
	// The streams wait long enough between two tries; the connection itself must not add to that.
	quick := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}
	return grpc.NewClient("passthrough:///"+o.server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: quick, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 4 * time.Second}),
		grpc.WithInitialWindowSize(int32(o.windowBytes)),
		grpc.WithInitialConnWindowSize(int32(o.windowBytes)),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(64<<20)),
	)
}

// The first call, as for linkerd's dashboard. A namespace that does not exist stops nothing.
func showDtab(ctx context.Context, conn *grpc.ClientConn, root string) {
	var reply []byte
	err := conn.Invoke(ctx, "/io.linkerd.mesh.Delegator/GetDtab", encodeDtabReq(root), &reply)
	if err != nil {
		show(dtabLine{Kind: "dtab", Code: status.Code(err).String(), Message: status.Convert(err).Message()})
		return
	}
	version, dentries, err := decodeDtabRsp(reply)
	if err != nil {
		show(dtabLine{Kind: "dtab", Code: "Unreadable", Message: err.Error()})
		return
	}
	show(dtabLine{Kind: "dtab", Code: "OK", Version: version, Dentries: dentries})
}

// Linkerd parses rules itself; a client without a parser has the server do it. The answer goes on as it came.
func readLocalDtab(ctx context.Context, conn *grpc.ClientConn, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	var reply []byte
	if err := conn.Invoke(ctx, "/io.linkerd.mesh.Codec/ReadDtab", encodeReadDtabReq(text), &reply); err != nil {
		return nil, fmt.Errorf("ReadDtab: %w", err)
	}
	return decodeReadDtabRsp(reply)
}
