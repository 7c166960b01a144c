package testcluster

import (
	"errors"
	"fmt"
	"slices"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/starling-sync/starling/node"
)

// nowhere is what nodes announce whose connections can be cut: nothing listens on
// the port, so that only the links lead to them.
const nowhere = "/ip4/127.0.0.1/tcp/1"

// links are the links of a cluster whose connections can be cut, one for each pair
// and direction.
type links struct {
	all    map[route]*link
	groups [][]int // of the partition; nodes in none of them make one more
}

// route is the direction of a link, by the nodes' numbers.
type route struct{ from, to int }

// get returns the link of a route, and makes it at the first call.
func (ls *links) get(from, to int) (*link, error) {
	r := route{from, to}
	if l := ls.all[r]; l != nil {
		return l, nil
	}
	l, err := newLink()
	if err != nil {
		return nil, err
	}
	if ls.all == nil {
		ls.all = make(map[route]*link)
	}
	ls.all[r] = l
	l.setCut(ls.parts(from, to))
	return l, nil
}

// addr is where a node finds another.
func (ls *links) addr(from, to int) (ma.Multiaddr, error) {
	l, err := ls.get(from, to)
	if err != nil {
		return nil, err
	}
	return manet.FromNetAddr(l.listener.Addr())
}

// lead makes all links to a node lead to where it listens.
func (ls *links) lead(to int, config node.Config) error {
	listens, err := ma.NewMultiaddr(config.Listen[0])
	if err != nil {
		return err
	}
	addr, err := manet.ToNetAddr(listens)
	if err != nil {
		return err
	}
	for r, l := range ls.all {
		if r.to == to {
			l.lead(addr.String())
		}
	}
	return nil
}

// parts reports whether the partition cuts two nodes from each other.
func (ls *links) parts(a, b int) bool {
	group := func(i int) int {
		return slices.IndexFunc(ls.groups, func(g []int) bool { return slices.Contains(g, i) })
	}
	return group(a) != group(b)
}

// partition cuts and mends links so that only nodes of one group reach each other.
func (ls *links) partition(groups [][]int) {
	ls.groups = groups
	for r, l := range ls.all {
		l.setCut(ls.parts(r.from, r.to))
	}
}

// slow limits how many bytes a second pass each way between a node and each other.
func (ls *links) slow(node, rate int) {
	for r, l := range ls.all {
		if r.from == node || r.to == node {
			l.slow(rate)
		}
	}
}

func (ls *links) close() error {
	var errs []error
	for r, l := range ls.all {
		if err := l.close(); err != nil {
			errs = append(errs, fmt.Errorf("%d to %d: %w", r.from, r.to, err))
		}
	}
	return errors.Join(errs...)
}
