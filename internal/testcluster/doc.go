// Package testcluster runs clusters of real nodes for tests: each node is a process
// of its own, with TCP on loopback in a private network, its store on disk and a
// real directory, so that it can be killed as nodes are killed.
//
// # Flow
//
// A test binary's TestMain calls Main, which turns the binary into a node when New
// starts it again. New makes a cluster and runs it; the test edits the nodes'
// directories (Write, WriteInPlace, Remove, Rename), stops, kills and starts nodes,
// cuts and heals connections, asks nodes by Node, and waits with Settle or
// Eventually. When the test ends, the cluster is healed and settled and Check
// compares every directory and every view with each other and with the oracle;
// then the nodes are stopped, and each must have left no goroutine behind.
//
// # Caveats
//
// A test that wants to cut connections says so in Options: nodes then reach each
// other through proxies of the test's only, one for each pair and direction, and
// the DHT, which would tell them of each other's proxies, is off. A cut connection
// is one that ends and cannot be made again; packets that silently vanish are not
// simulated. Loopback has no multicast, so mDNS is always off.
package testcluster
