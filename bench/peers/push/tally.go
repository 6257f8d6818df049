package main

import (
	"slices"
	"sync"
	"time"
)

// tally counts updates and says when as many as expected have come, with the moments at which they did.
type tally struct {
	mu      sync.Mutex
	wanted  int
	moments []int64
	total   int
}

func (t *tally) expect(count int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wanted = count
	t.moments = make([]int64, 0, count)
}

// add notes updates that were read at the given moment.
func (t *tally) add(count int, now time.Time) {
	if count == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total += count
	for range min(count, t.wanted-len(t.moments)) {
		t.moments = append(t.moments, now.UnixMicro())
	}
	if t.wanted == 0 || len(t.moments) < t.wanted {
		return
	}
	t.wanted = 0
	slices.Sort(t.moments)
	at := func(share float64) int64 { return t.moments[int(float64(len(t.moments)-1)*share)] }
	answer("reached", map[string]any{
		"count": len(t.moments), "first": at(0), "p50": at(0.5), "p99": at(0.99), "last": at(1),
	})
}
