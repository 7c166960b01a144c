// Package crdt holds one node's copy of the replicated set: the replica.
//
// The set is grow-only and its elements are signed and immutable; each sits in
// a block of its own under the hash of its bytes. Everything else (the current
// bytes of a file, conflicts, history, who is a member) is a pure function of
// the set, computed by the index and the view. go-ds-crdt carries the set; its
// last-writer-wins rule, tombstones and hooks decide nothing, because no key is
// ever written twice and none is deleted.
//
// # Flow
//
// A local edit goes Append -> sign -> Put -> sync -> index -> announcement. A
// block of another node goes gossip or fetch -> openBlock (what a block can
// prove by itself) -> admission loop -> index.check (what its ancestry must
// prove) -> block store -> go-ds-crdt -> index -> Wake. Blocks are admitted
// oldest first, so the block store never has a hole.
//
// # Caveats
//
// The blocks are the truth on disk. The index lives in memory and go-ds-crdt's
// own records are derived: both are computed again from the blocks, the index
// at every start, the records after an unclean stop.
package crdt
