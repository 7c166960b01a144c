package node

import (
	"errors"

	"github.com/starling-sync/starling/crdt"
)

var (
	// ErrConfig is returned for a configuration that cannot be used.
	ErrConfig = errors.New("invalid configuration")
	// ErrNoNode is returned by Open if the data directory holds no node.
	ErrNoNode = errors.New(`no node is set up here: "starling init" makes a cluster, "starling join" joins one`)
	// ErrExists is returned by Init and Join if the data directory holds a node.
	ErrExists = errors.New("a node is set up here already: name another data directory, or use this node")
	// ErrInUse is returned if another process uses the data directory or the port.
	ErrInUse = errors.New("in use by another process")
	// ErrUnreachable is returned by Join if the inviter does not answer.
	ErrUnreachable = errors.New("the inviter does not answer")
	// ErrPermission is returned if the operating system does not let this user do it.
	ErrPermission = errors.New("not permitted")
	// ErrNotFound is returned for a path, change or approval that is not there.
	ErrNotFound = errors.New("not found")
	// ErrInvalid is returned for a request that makes no sense.
	ErrInvalid = errors.New("invalid request")
	// ErrRole is returned for an edit that this node's grants do not allow.
	ErrRole = errors.New("this node may not write that")
	// ErrRefused is returned for what a rule of the cluster does not let happen.
	ErrRefused = errors.New("refused")
	// ErrNotAuthority is returned by Invite, Revoke and SetRules on a node without
	// the authority key.
	ErrNotAuthority = errors.New("only the authority can do that")
	// ErrNotMember is returned while this node's own grant is not in its set.
	ErrNotMember = crdt.ErrNotMember
)
