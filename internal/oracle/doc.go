// Package oracle says what a cluster's directories should hold, and who is a
// member, from nothing but the elements of the set. It is the specification of
// the view as a program: slow, short, and written a second time, so that a test
// can ask whether the replicas answer as it does.
//
// # Flow
//
// Compute reads the elements in the order in which they come (read.go), finds the
// versions that count, each path's heads among them and what these come to
// (view.go), and last which of colliding paths are held (collision.go). The order
// of the elements must not matter: tests shuffle them.
//
// # Caveats
//
// It shares the wire format and the nouns with the program and not one line of
// what it checks: of package crdt it imports generated code only. It takes
// elements from a set that a node admitted, so it judges no element: whether
// refusal works is not its question. Heads that are flat
// JSON objects it merges field by field, by value (merge.go); of what is merged
// otherwise it knows only that it is there.
package oracle
