// The messages of io.linkerd.mesh that a linkerd sends and reads, field by field. Knows no stream.
package main

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Passes messages as bytes.
type rawCodec struct{}

func (rawCodec) Marshal(message any) ([]byte, error) { return message.([]byte), nil }

func (rawCodec) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (rawCodec) Name() string { return "proto" }

type nodeKind string

const (
	negNode   nodeKind = "neg"
	failNode  nodeKind = "fail"
	emptyNode nodeKind = "empty"
	leafNode  nodeKind = "leaf"
	altNode   nodeKind = "alt"
	unionNode nodeKind = "union"
)

// A bound tree. Its nodes are of the kind that was set last; of an unset one linkerd makes neg.
type tree struct {
	kind     nodeKind
	trees    []tree
	weights  []float64
	id       path
	residual path
}

type path []string

type replicaState string

const (
	pendingReplicas replicaState = "pending"
	negReplicas     replicaState = "neg"
	failedReplicas  replicaState = "failed"
	boundReplicas   replicaState = "bound"
)

type replicas struct {
	state     replicaState
	message   string
	endpoints []endpoint
	metadata  map[string]string
}

type endpoint struct {
	Address  string            `json:"address"`
	Weight   float64           `json:"weight"`
	NodeName string            `json:"nodeName,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func parsePath(text string) path {
	trimmed := strings.Trim(text, "/")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "/")
}

func (p path) String() string { return "/" + strings.Join(p, "/") }

func encodePath(p path) []byte {
	var b []byte
	for _, label := range p {
		b = appendField(b, 1, []byte(label))
	}
	return b
}

func appendField(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

func encodeDtabReq(root string) []byte { return appendField(nil, 1, encodePath(path{root})) }

func encodeBindReq(root string, name path, local []byte) []byte {
	b := appendField(nil, 1, encodePath(path{root}))
	b = appendField(b, 2, encodePath(name))
	return appendField(b, 3, local)
}

func encodeReplicasReq(id path) []byte { return appendField(nil, 1, encodePath(id)) }

func encodeReadDtabReq(text string) []byte { return appendField(nil, 1, []byte(text)) }

// A field of a message. A number is in `bits`, whatever its wire type; anything longer in `bytes`.
type field struct {
	number protowire.Number
	bits   uint64
	bytes  []byte
}

func eachField(b []byte, take func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

func decodeDtabRsp(b []byte) (version string, dentries int, err error) {
	err = eachField(b, func(rsp field) error {
		return eachField(rsp.bytes, func(versioned field) error {
			return eachField(versioned.bytes, func(part field) error {
				if versioned.number == 1 && part.number == 1 {
					version = string(part.bytes)
				} else if versioned.number == 2 && part.number == 1 {
					dentries++
				}
				return nil
			})
		})
	})
	return version, dentries, err
}

func decodeReadDtabRsp(b []byte) (dtab []byte, err error) {
	err = eachField(b, func(f field) error {
		if f.number == 1 {
			dtab = f.bytes
		}
		return nil
	})
	return dtab, err
}

func decodePath(b []byte) (p path, err error) {
	err = eachField(b, func(f field) error {
		if f.number == 1 {
			p = append(p, string(f.bytes))
		}
		return nil
	})
	return p, err
}

func decodeBoundTreeRsp(b []byte) (t tree, err error) {
	t = tree{kind: negNode}
	err = eachField(b, func(f field) error {
		if f.number == 1 {
			t, err = decodeTree(f.bytes)
		}
		return err
	})
	return t, err
}

func decodeTree(b []byte) (tree, error) {
	t := tree{kind: negNode}
	err := eachField(b, func(f field) (err error) {
		switch f.number {
		case 1:
			t = tree{kind: negNode}
		case 2:
			t = tree{kind: failNode}
		case 3:
			t = tree{kind: emptyNode}
		case 4:
			t, err = decodeBranches(altNode, f.bytes)
		case 5:
			t, err = decodeBranches(unionNode, f.bytes)
		case 6:
			t, err = decodeLeaf(f.bytes)
		}
		return err
	})
	return t, err
}

func decodeBranches(kind nodeKind, b []byte) (tree, error) {
	t := tree{kind: kind}
	err := eachField(b, func(f field) error {
		if f.number != 1 {
			return nil
		}
		child, weight, err := decodeBranch(kind, f.bytes)
		t.trees = append(t.trees, child)
		t.weights = append(t.weights, weight)
		return err
	})
	return t, err
}

// The branches of an alternative are trees, those of a union weighted ones.
func decodeBranch(kind nodeKind, b []byte) (child tree, weight float64, err error) {
	if kind == altNode {
		child, err = decodeTree(b)
		return child, 1, err
	}
	child = tree{kind: negNode}
	err = eachField(b, func(f field) (err error) {
		switch f.number {
		case 1:
			weight = math.Float64frombits(f.bits)
		case 2:
			child, err = decodeTree(f.bytes)
		}
		return err
	})
	return child, weight, err
}

func decodeLeaf(b []byte) (tree, error) {
	t := tree{kind: leafNode}
	err := eachField(b, func(f field) (err error) {
		switch f.number {
		case 1:
			t.id, err = decodePath(f.bytes)
		case 2:
			t.residual, err = decodePath(f.bytes)
		}
		return err
	})
	return t, err
}

func decodeReplicas(b []byte) (replicas, error) {
	r := replicas{state: negReplicas}
	err := eachField(b, func(f field) (err error) {
		switch f.number {
		case 1:
			r = replicas{state: pendingReplicas}
		case 2:
			r = replicas{state: negReplicas}
		case 3:
			r, err = decodeFailed(f.bytes)
		case 4:
			r, err = decodeBound(f.bytes)
		}
		return err
	})
	return r, err
}

func decodeFailed(b []byte) (replicas, error) {
	r := replicas{state: failedReplicas}
	err := eachField(b, func(f field) error {
		if f.number == 1 {
			r.message = string(f.bytes)
		}
		return nil
	})
	return r, err
}

func decodeBound(b []byte) (replicas, error) {
	r := replicas{state: boundReplicas, endpoints: []endpoint{}}
	err := eachField(b, func(f field) error {
		switch f.number {
		case 1:
			e, err := decodeEndpoint(f.bytes)
			r.endpoints = append(r.endpoints, e)
			return err
		case 2:
			return decodeEntry(f.bytes, &r.metadata)
		}
		return nil
	})
	return r, err
}

// A linkerd knows no defaults: it leaves out an endpoint whose family, address or port is not on the wire.
func decodeEndpoint(b []byte) (endpoint, error) {
	e := endpoint{Weight: 1}
	var family, port uint64
	var address []byte
	given := map[protowire.Number]bool{}
	err := eachField(b, func(f field) (err error) {
		given[f.number] = true
		switch f.number {
		case 1:
			family = f.bits
		case 2:
			address = f.bytes
		case 3:
			port = f.bits
		case 4:
			e.NodeName, err = decodeNodeName(f.bytes)
		case 5:
			err = decodeEntry(f.bytes, &e.Metadata)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if !given[1] || !given[2] || !given[3] {
		return e, errors.New("an endpoint without family, address or port, which linkerd would leave out")
	}
	ip, ok := netip.AddrFromSlice(address)
	if !ok || ip.Is4() != (family == 0) || port > 65535 {
		return e, fmt.Errorf("an endpoint of family %d has address %x and port %d", family, address, port)
	}
	e.Address = netip.AddrPortFrom(ip, uint16(port)).String()
	if text, ok := e.Metadata["endpoint_addr_weight"]; ok {
		e.Weight, err = strconv.ParseFloat(text, 64)
	}
	return e, err
}

func decodeNodeName(b []byte) (name string, err error) {
	err = eachField(b, func(f field) error {
		if f.number == 1 {
			name = string(f.bytes)
		}
		return nil
	})
	return name, err
}

func decodeEntry(b []byte, into *map[string]string) error {
	var key, value string
	err := eachField(b, func(f field) error {
		switch f.number {
		case 1:
			key = string(f.bytes)
		case 2:
			value = string(f.bytes)
		}
		return nil
	})
	if err == nil && key == "" {
		err = errors.New("metadata without a name")
	}
	if *into == nil {
		*into = map[string]string{}
	}
	(*into)[key] = value
	return err
}
