// Package node assembles one node from its parts and owns their life: the
// replica, the exchange with other members, discovery, the mirror. It is the
// only package that imports crdt, mirror and discovery, which do not know each
// other, and the only one that sets the options of a libp2p host.
//
// # Flow
//
// Init or Join make a data directory once. Open takes it and starts, in this
// order: replica, gate, host, exchange, inviter (where the authority key is),
// reports, discovery, mirror; Close ends them in the opposite order and waits.
// What a member of a cluster can be asked and told to do is a method of Node;
// package api serves these methods.
package node
