package main

import "google.golang.org/protobuf/encoding/protowire"

// update is what counts of an Update message: the resource and the hash of its content.
type update struct {
	key       uint32
	id        string
	hash      string
	isPending bool
}

type response struct {
	sequence  uint64
	updates   []update
	wantsHeld bool
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
		case 6:
			u.isPending = true
		}
	})
	return u
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
