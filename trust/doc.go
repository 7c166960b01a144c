// Package trust decides who belongs to a cluster and what a member may do.
//
// A cluster is named by its authority key. The authority signs statements: a
// Grant makes a node key a member with a name and a role, a Revocation ends that
// for ever, Rules put a version of the merge rules in force. A statement travels
// as the payload of an Envelope, so it proves itself on whatever way it comes.
//
// The flow of a node's life: the authority's operator has Invitations write a
// Token; Join takes it to the inviter, proves that it holds the token's secret
// and comes back with a Grant for the node's own key; from then on the node's
// hello carries that grant, and the Gate of each peer lets nobody past the hello
// whose grant it has not checked or whose key is revoked.
//
// What is valid depends on the bytes alone, never on a clock or on what else is
// known. The caveats: the pre-shared key of the private network is only the outer
// wall, for revoked nodes still know it; and the meaning of path globs is part of
// what replicas must agree on, so the glob library's matching may not change
// without a new kind of grant.
package trust
