// Package discovery finds the other members of a cluster and keeps this node
// connected to them.
//
// The flow: the sources (multicast DNS on the local network, a private Kademlia
// DHT across routed networks, static addresses from the token or the config, and
// the addresses remembered from earlier runs) only propose addresses. One dialer
// tries them, with a backoff of its own for each peer, until every member is
// connected, and starts again when a connection is lost. Whether a connection may
// stand is decided elsewhere: the host that is handed in has a gater, and only
// members get past it.
//
// A source can therefore lie. Multicast DNS is unauthenticated, so anyone on the
// local network can make a node dial an address of his choice; he cannot make it
// talk to him. What a liar can cost is bounded: in peers that are tried, in
// addresses kept for each, in dials at a time and in how often.
//
// Caveats. The DHT dials on its own: a lookup the members that it asks on the way
// and the one that it looks for, a refresh of its table those whom others name. It
// dials no one who is not a member. Loopback addresses
// that a source proposes are dropped unless the peer is on this machine, because
// every machine has the same ones; static and remembered addresses are taken as
// they are. The library below multicast DNS prints a line through package log
// when IPv4 or IPv6 multicast is not to be had: a program that wants it in its own
// log calls slog.SetDefault.
package discovery
