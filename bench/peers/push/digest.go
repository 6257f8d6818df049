package main

import "google.golang.org/protobuf/encoding/protowire"

// The digest of a stream as proto/content-digest.ts defines it.
type digest struct{ low, high uint32 }

// mark stands for an update: its hash, and whether it was stale; 0 where there was none.
func mark(hash string, isStale bool) uint32 {
	if hash == "" {
		return 0
	}
	bits := uint32(hash[0]) | uint32(hash[1])<<8 | uint32(hash[2])<<16 | uint32(hash[3])<<24
	if isStale {
		bits ^= 0x5bd1e995
	}
	if bits == 0 {
		return 1
	}
	return bits
}

// idMark stands for a replica set, by the encoded Path of its id.
func idMark(id string) uint32 {
	sum := uint32(0x811c9dc5)
	eachField([]byte(id), func(field protowire.Number, _ uint64, label []byte) {
		if field != 1 {
			return
		}
		for _, b := range label {
			sum = (sum ^ uint32(b)) * 0x01000193
		}
		sum = (sum ^ 0x100) * 0x01000193
	})
	return sum
}

func (d *digest) change(resource, before, after uint32) {
	if before == after {
		return
	}
	if before != 0 {
		d.low -= lowOf(resource, before)
		d.high -= highOf(resource, before)
	}
	if after != 0 {
		d.low += lowOf(resource, after)
		d.high += highOf(resource, after)
	}
}

func (d *digest) value() uint64 { return uint64(d.high&0x1fffff)<<32 | uint64(d.low) }

func lowOf(resource, update uint32) uint32 {
	return scatter(resource*0x85ebca6b + update*0xc2b2ae35)
}

func highOf(resource, update uint32) uint32 {
	return scatter(resource*0x27d4eb2e + update*0x165667b1 + 0x1b873593)
}

func scatter(bits uint32) uint32 {
	bits = (bits ^ bits>>16) * 0x85ebca6b
	bits = (bits ^ bits>>13) * 0xc2b2ae35
	return bits ^ bits>>16
}
