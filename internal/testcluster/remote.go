package testcluster

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// serviceName is what the calls to a node process begin with.
const serviceName = "Node"

// callTime bounds every call, in the node and in the test.
const callTime = 30 * time.Second

// Status is what a node says of itself. Role is text, empty without a grant.
type Status struct {
	node.Status
	Role string
}

// Reply is what a call returns. It is never null, which the codec takes for an error.
type Reply[T any] struct{ Value T }

// service answers the test's calls in the node's process. Each method is one of
// node.Node's, with its arguments in one value, as package net/rpc wants it.
type service struct{ node *node.Node }

func withTime(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	return do(ctx)
}

// Elements returns the bytes of every element.
func (s *service) Elements(_ struct{}, out *Reply[[][]byte]) error {
	return withTime(func(ctx context.Context) error {
		return s.node.Elements(ctx, func(element []byte) error {
			out.Value = append(out.Value, element)
			return nil
		})
	})
}

// Status returns the node's state.
func (s *service) Status(_ struct{}, out *Reply[Status]) error {
	return withTime(func(ctx context.Context) error {
		out.Value.Status = s.node.Status(ctx)
		if out.Value.Status.Role != 0 {
			out.Value.Role = out.Value.Status.Role.String()
		}
		return nil
	})
}

// AwaitReady returns when the directory was what the view says, once.
func (s *service) AwaitReady(_ struct{}, _ *Reply[struct{}]) error {
	return withTime(func(ctx context.Context) error {
		select {
		case <-s.node.Ready():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// List returns the definitions of the view.
func (s *service) List(_ struct{}, out *Reply[[]node.Entry]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.List(ctx, "")
		return err
	})
}

// Read returns the bytes of a version; without a change those of the view.
func (s *service) Read(v definition.Version, out *Reply[[]byte]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.Read(ctx, v.Path, v.Change)
		return err
	})
}

// Log returns changes.
func (s *service) Log(q node.LogQuery, out *Reply[[]node.Change]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.Log(ctx, q)
		return err
	})
}

// Edit appends a draft.
func (s *service) Edit(d definition.Draft, out *Reply[[]definition.Version]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.Edit(ctx, d)
		return err
	})
}

// RollBack brings back what was at a time.
func (s *service) RollBack(r node.Rollback, out *Reply[node.Reverted]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.RollBack(ctx, r)
		return err
	})
}

// Conflicts returns the open conflicts.
func (s *service) Conflicts(_ struct{}, out *Reply[[]node.Conflict]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.Conflicts(ctx, "")
		return err
	})
}

// Resolve ends conflicts.
func (s *service) Resolve(r node.Resolution, out *Reply[node.Resolved]) error {
	return withTime(func(ctx context.Context) (err error) {
		out.Value, err = s.node.ResolveConflicts(ctx, r)
		return err
	})
}

// Peers returns the members.
func (s *service) Peers(_ struct{}, out *Reply[[]node.Peer]) error {
	return withTime(func(ctx context.Context) error {
		out.Value = s.node.Peers(ctx)
		return nil
	})
}

// Verify asks all members.
func (s *service) Verify(_ struct{}, out *Reply[node.Verification]) error {
	return withTime(func(ctx context.Context) error {
		out.Value = s.node.Verify(ctx)
		return nil
	})
}

// Approvals returns what the guard holds.
func (s *service) Approvals(_ struct{}, out *Reply[[]node.Approval]) error {
	return withTime(func(ctx context.Context) error {
		out.Value = s.node.Approvals(ctx)
		return nil
	})
}

// Approve publishes one held set.
func (s *service) Approve(id string, _ *Reply[struct{}]) error {
	return withTime(func(ctx context.Context) error {
		_, err := s.node.Approve(ctx, id)
		return err
	})
}

// Restore undoes one held set.
func (s *service) Restore(id string, _ *Reply[struct{}]) error {
	return withTime(func(ctx context.Context) error {
		_, err := s.node.Restore(ctx, id)
		return err
	})
}

// Invite returns the text of a token.
func (s *service) Invite(o node.InviteOptions, out *Reply[string]) error {
	return withTime(func(ctx context.Context) error {
		token, err := s.node.Invite(ctx, o)
		if err != nil {
			return err
		}
		out.Value, err = token.Encode()
		return err
	})
}

// Memory returns the bytes of the heap that are in use.
func (s *service) Memory(_ struct{}, out *Reply[uint64]) error {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out.Value = m.HeapAlloc
	return nil
}

// call asks a running node and waits for the answer.
func call[A, R any](n *Node, method string, args A) (R, error) {
	var out Reply[R]
	p := n.running
	if p == nil {
		return out.Value, fmt.Errorf("call %s of %s: it does not run", method, n.Name)
	}
	timer := time.NewTimer(callTime)
	defer timer.Stop()
	select {
	case c := <-p.client.Go(serviceName+"."+method, args, &out, nil).Done:
		if c.Error != nil {
			return out.Value, fmt.Errorf("call %s of %s: %w", method, n.Name, c.Error)
		}
		return out.Value, nil
	case <-timer.C:
		return out.Value, fmt.Errorf("call %s of %s: no answer in %v", method, n.Name, callTime)
	}
}

// Elements returns the bytes of every element of the node's set.
func (n *Node) Elements() ([][]byte, error) {
	return call[struct{}, [][]byte](n, "Elements", struct{}{})
}

// Status returns the node's state.
func (n *Node) Status() (Status, error) { return call[struct{}, Status](n, "Status", struct{}{}) }

// AwaitReady waits until the node's first sync was done and its directory was what
// its view says.
func (n *Node) AwaitReady() error {
	_, err := call[struct{}, struct{}](n, "AwaitReady", struct{}{})
	return err
}

// List returns the definitions of the node's view.
func (n *Node) List() ([]node.Entry, error) {
	return call[struct{}, []node.Entry](n, "List", struct{}{})
}

// ReadVersion returns the bytes that a change gave a path.
func (n *Node) ReadVersion(v definition.Version) ([]byte, error) {
	return call[definition.Version, []byte](n, "Read", v)
}

// Log returns changes, the newest first.
func (n *Node) Log(q node.LogQuery) ([]node.Change, error) {
	return call[node.LogQuery, []node.Change](n, "Log", q)
}

// Edit appends a draft; what it returns is acknowledged.
func (n *Node) Edit(d definition.Draft) ([]definition.Version, error) {
	return call[definition.Draft, []definition.Version](n, "Edit", d)
}

// RollBack brings back what was at a time; what it returns is acknowledged.
func (n *Node) RollBack(r node.Rollback) (node.Reverted, error) {
	return call[node.Rollback, node.Reverted](n, "RollBack", r)
}

// Conflicts returns the open conflicts.
func (n *Node) Conflicts() ([]node.Conflict, error) {
	return call[struct{}, []node.Conflict](n, "Conflicts", struct{}{})
}

// Resolve ends conflicts by one change.
func (n *Node) Resolve(r node.Resolution) (node.Resolved, error) {
	return call[node.Resolution, node.Resolved](n, "Resolve", r)
}

// Peers returns the members as the node sees them.
func (n *Node) Peers() ([]node.Peer, error) {
	return call[struct{}, []node.Peer](n, "Peers", struct{}{})
}

// Memory returns how many bytes of the heap the node's process uses. It collects
// garbage first.
func (n *Node) Memory() (uint64, error) { return call[struct{}, uint64](n, "Memory", struct{}{}) }

// Verify lets the node ask all members what they hold.
func (n *Node) Verify() (node.Verification, error) {
	return call[struct{}, node.Verification](n, "Verify", struct{}{})
}

// Approvals returns what the node's deletion guard holds.
func (n *Node) Approvals() ([]node.Approval, error) {
	return call[struct{}, []node.Approval](n, "Approvals", struct{}{})
}

// ApproveAll publishes everything that the node's deletion guard holds.
func (n *Node) ApproveAll() error {
	held, err := n.Approvals()
	for _, a := range held {
		_, approveErr := call[string, struct{}](n, "Approve", a.ID)
		err = errors.Join(err, approveErr)
	}
	return err
}

// Restore undoes a loss that the node's deletion guard holds.
func (n *Node) Restore(id string) error {
	_, err := call[string, struct{}](n, "Restore", id)
	return err
}

// Invite returns a token of the node, which must be the authority.
func (n *Node) Invite(o node.InviteOptions) (trust.Token, error) {
	text, err := call[node.InviteOptions, string](n, "Invite", o)
	if err != nil {
		return trust.Token{}, err
	}
	return trust.ParseToken([]byte(text))
}
