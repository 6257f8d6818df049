package main

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Requests by the field tables of nameplane.v1, io.linkerd.mesh and etcdserverpb.

func message(to []byte, field protowire.Number, inner []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), inner)
}

func number(to []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), value)
}

func path(text string) []byte {
	var encoded []byte
	for label := range strings.SplitSeq(strings.TrimPrefix(text, "/"), "/") {
		encoded = message(encoded, 1, []byte(label))
	}
	return encoded
}

// bindRequest is a BindReq of the mesh protocol in the namespace "default".
func bindRequest(name string) []byte {
	return message(message(nil, 1, path("/default")), 2, path(name))
}

// replicasRequest is a ReplicasReq.
func replicasRequest(id string) []byte {
	return message(nil, 1, path(id))
}

// etcdWatch is a WatchRequest that creates a watcher of one key.
func etcdWatch(key string) []byte {
	return message(nil, 1, message(nil, 1, []byte(key)))
}
