package main

import "google.golang.org/protobuf/encoding/protowire"

// update is what counts of an Update message.
type update struct {
	key  uint32
	id   string
	hash string
	// Encoded id of the leaf, where the tree is one.
	leaf      string
	isTree    bool
	isPending bool
	isStale   bool
}

type response struct {
	sequence  uint64
	updates   []update
	wantsHeld bool
	ackWithin uint64
}

// readResponse reads a WatchResponse; what cannot be read is the end of it.
func readResponse(bytes []byte) response {
	var r response
	eachField(bytes, func(field protowire.Number, value uint64, inner []byte) {
		switch field {
		case 1:
			r.updates = append(r.updates, readUpdate(inner))
		case 2:
			r.sequence = value
		case 4:
			r.wantsHeld = value != 0
		case 8:
			r.ackWithin = value
		}
	})
	return r
}

func readUpdate(bytes []byte) update {
	var u update
	eachField(bytes, func(field protowire.Number, value uint64, inner []byte) {
		switch field {
		case 1:
			u.key = uint32(value)
		case 2:
			u.id = string(inner)
		case 3:
			u.hash = string(inner)
		case 4:
			u.isTree = true
			u.leaf = leafOf(inner)
		case 6:
			u.isPending = true
		case 8:
			u.isStale = true
		}
	})
	return u
}

// leafOf is the encoded id of a tree that is one leaf; empty for any other.
func leafOf(tree []byte) string {
	leaf := ""
	eachField(tree, func(field protowire.Number, _ uint64, node []byte) {
		if field != 4 {
			return
		}
		eachField(node, func(field protowire.Number, _ uint64, id []byte) {
			if field == 1 {
				leaf = string(id)
			}
		})
	})
	return leaf
}

// eachField offers the fields of a message: a number's value, or the bytes of what has a length.
func eachField(bytes []byte, take func(field protowire.Number, value uint64, inner []byte)) {
	for len(bytes) > 0 {
		field, kind, n := protowire.ConsumeTag(bytes)
		if n < 0 {
			return
		}
		bytes = bytes[n:]
		switch kind {
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(bytes)
			if n < 0 {
				return
			}
			take(field, value, nil)
			bytes = bytes[n:]
		case protowire.BytesType:
			inner, n := protowire.ConsumeBytes(bytes)
			if n < 0 {
				return
			}
			take(field, 0, inner)
			bytes = bytes[n:]
		default:
			n := protowire.ConsumeFieldValue(field, kind, bytes)
			if n < 0 {
				return
			}
			bytes = bytes[n:]
		}
	}
}
