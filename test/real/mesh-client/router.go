// What a linkerd holds: the tree of each name, the replica set of each leaf of these, and what its router would do by them.
// A set is watched for as long as a tree has it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// Where a router would send the requests of a name. Outcome is `shares` when there is somewhere to send them.
type routeLine struct {
	Kind    string  `json:"kind"`
	Name    string  `json:"name"`
	Outcome string  `json:"outcome"`
	Shares  []share `json:"shares,omitempty"`
}

// One part of the requests of a name, between 0 and 1.
type share struct {
	Share     float64           `json:"share"`
	Outcome   string            `json:"outcome"`
	ID        string            `json:"id,omitempty"`
	Residual  string            `json:"residual,omitempty"`
	Message   string            `json:"message,omitempty"`
	Endpoints []endpoint        `json:"endpoints,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

type dtabLine struct {
	Kind     string `json:"kind"`
	Code     string `json:"code"`
	Message  string `json:"message,omitempty"`
	Version  string `json:"version,omitempty"`
	Dentries int    `json:"dentries"`
}

type streamLine struct {
	Kind     string `json:"kind"`
	Of       string `json:"of"`
	Code     string `json:"code"`
	Message  string `json:"message,omitempty"`
	ReopenMs int64  `json:"reopenMs"`
}

// Says that a stream has told something, be it what was known.
type heardLine struct {
	Kind string `json:"kind"`
	Of   string `json:"of"`
}

func show(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(text, '\n'))
}

type router struct {
	conn    *grpc.ClientConn
	options options
	local   []byte
	// Everything that changes what is held runs in one goroutine.
	work   chan func()
	ctx    context.Context
	trees  map[string]tree
	sets   map[string]*heldSet
	routes map[string][]byte
}

type heldSet struct {
	value replicas
	stop  context.CancelFunc
}

func newRouter(conn *grpc.ClientConn, o options, local []byte) *router {
	return &router{
		conn: conn, options: o, local: local,
		work:   make(chan func()),
		trees:  map[string]tree{},
		sets:   map[string]*heldSet{},
		routes: map[string][]byte{},
	}
}

func (r *router) run(ctx context.Context) {
	r.ctx = ctx
	for _, name := range r.options.names {
		go r.watchName(name)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-r.work:
			do()
		}
	}
}

// Has the router's goroutine do something; nothing when all is over.
func (r *router) do(work func()) {
	select {
	case <-r.ctx.Done():
	case r.work <- work:
	}
}

func (r *router) watchName(name string) {
	request := encodeBindReq(r.options.root, parsePath(name), r.local)
	r.watch(name, "/io.linkerd.mesh.Interpreter/StreamBoundTree", request, func(message []byte) error {
		bound, err := decodeBoundTreeRsp(message)
		if err == nil {
			r.do(func() { r.takeTree(name, bound) })
		}
		return err
	}).run(r.ctx)
}

func (r *router) watch(of, method string, request []byte, take func([]byte) error) watch {
	return watch{
		conn: r.conn, method: method, request: request,
		base: r.options.retryBase, max: r.options.retryMax,
		take: take,
		ended: func(reason *status.Status, wait time.Duration) {
			line := streamLine{"stream", of, reason.Code().String(), reason.Message(), wait.Milliseconds()}
			r.do(func() { show(line) })
		},
	}
}

func (r *router) takeTree(name string, bound tree) {
	show(heardLine{"heard", name})
	r.trees[name] = bound
	r.watchLeaves()
	r.showRoutes()
}

// Opens the sets of new leaves before it drops those that no tree has any more.
func (r *router) watchLeaves() {
	used := map[string]bool{}
	for _, t := range r.trees {
		eachLeaf(t, func(leaf tree) {
			id := leaf.id.String()
			used[id] = true
			if r.sets[id] == nil {
				r.sets[id] = r.openSet(leaf.id)
			}
		})
	}
	for id, held := range r.sets {
		if !used[id] {
			held.stop()
			delete(r.sets, id)
		}
	}
}

func (r *router) openSet(id path) *heldSet {
	ctx, stop := context.WithCancel(r.ctx)
	held := &heldSet{value: replicas{state: pendingReplicas}, stop: stop}
	key := id.String()
	take := func(message []byte) error {
		value, err := decodeReplicas(message)
		if err == nil {
			r.do(func() {
				show(heardLine{"heard", key})
				held.value = value
				r.showRoutes()
			})
		}
		return err
	}
	go r.watch(key, "/io.linkerd.mesh.Resolver/StreamReplicas", encodeReplicasReq(id), take).run(ctx)
	return held
}

// Prints the routes that have changed.
func (r *router) showRoutes() {
	for name, t := range r.trees {
		line := r.routeOf(name, t)
		text, err := json.Marshal(line)
		if err != nil {
			panic(err)
		}
		if !bytes.Equal(text, r.routes[name]) {
			r.routes[name] = text
			show(line)
		}
	}
}

func (r *router) routeOf(name string, t tree) routeLine {
	line := routeLine{Kind: "route", Name: name}
	shares := r.sharesOf(t, 1)
	if len(shares) == 1 && shares[0].ID == "" {
		line.Outcome = shares[0].Outcome
		return line
	}
	line.Outcome = "shares"
	line.Shares = shares
	return line
}

func (r *router) sharesOf(t tree, of float64) []share {
	switch t.kind {
	case leafNode:
		return []share{r.shareOf(t, of)}
	case altNode:
		return r.sharesOf(r.firstThatExists(t.trees), of)
	case unionNode:
		return r.sharesOfUnion(t, of)
	default:
		return []share{{Share: of, Outcome: string(t.kind)}}
	}
}

// A name that is neg lets the next alternative serve; a known one without endpoints does not.
func (r *router) firstThatExists(trees []tree) tree {
	for _, t := range trees {
		if t.kind == leafNode && r.sets[t.id.String()].value.state != negReplicas {
			return t
		}
		if t.kind != leafNode && t.kind != negNode {
			return t
		}
	}
	return tree{kind: negNode}
}

func (r *router) sharesOfUnion(t tree, of float64) []share {
	total := 0.0
	for _, weight := range t.weights {
		total += weight
	}
	shares := []share{}
	for i, child := range t.trees {
		shares = append(shares, r.sharesOf(child, of*t.weights[i]/total)...)
	}
	return shares
}

func (r *router) shareOf(leaf tree, of float64) share {
	held := r.sets[leaf.id.String()].value
	s := share{Share: of, Outcome: string(held.state), ID: leaf.id.String(), Message: held.message}
	if len(leaf.residual) > 0 {
		s.Residual = leaf.residual.String()
	}
	s.Endpoints = held.endpoints
	s.Metadata = held.metadata
	return s
}

func eachLeaf(t tree, visit func(tree)) {
	if t.kind == leafNode {
		visit(t)
	}
	for _, child := range t.trees {
		eachLeaf(child, visit)
	}
}
