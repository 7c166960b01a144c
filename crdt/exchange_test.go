package crdt_test

import (
	"fmt"
	"testing"
)

func TestExchangeBringsASetToANewPeer(t *testing.T) {
	replicas, hosts := members(t, 3)
	for i := range 50 {
		put(t, replicas[0], fmt.Sprintf("s-%d.json", i), fmt.Sprintf(`{"id": %d}`, i))
	}
	connect(t, hosts[1], hosts[0])
	connect(t, hosts[2], hosts[1])
	eventually(t, func() error { return equal(replicas...) })
	if got, want := content(t, replicas[2], "s-7.json"), `{"id": 7}`; got != want {
		t.Errorf("content is %q, want %q", got, want)
	}
}

func TestExchangeConvergesAfterConcurrentEdits(t *testing.T) {
	replicas, hosts := members(t, 3)
	connect(t, hosts[1], hosts[0])
	connect(t, hosts[2], hosts[0])
	connect(t, hosts[2], hosts[1])
	eventually(t, func() error { return equal(replicas...) })
	for i := range 30 {
		for _, r := range replicas {
			put(t, r, fmt.Sprintf("s-%d.json", i%7), fmt.Sprintf(`{"id": %d, "by": %q}`, i, r.Heads()[0]))
		}
	}
	eventually(t, func() error { return equal(replicas...) })
}

func BenchmarkExchange(b *testing.B) {
	replicas, hosts := members(b, 2)
	connect(b, hosts[1], hosts[0])
	eventually(b, func() error { return equal(replicas...) })
	i := 0
	for b.Loop() {
		v := put(b, replicas[0], fmt.Sprintf("s-%d.json", i%100), fmt.Sprintf(`{"id": %d}`, i))
		i++
		for !replicas[1].Has(v.Change) {
			<-replicas[1].Wake()
		}
	}
}
