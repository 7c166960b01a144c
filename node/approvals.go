package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// Approval is a set of files that the guard holds back.
type Approval struct {
	ID     string
	Reason string
	Paths  []string
	Since  time.Time
}

// Decided is what came of a decision about an Approval.
type Decided struct {
	// Paths are its files, in order.
	Paths []string
	// Stay are files whose deletion was published and that are there all the same: another
	// member edited them meanwhile.
	Stay []string
}

// Approvals returns what the guard holds back.
func (n *Node) Approvals(context.Context) []Approval {
	var out []Approval
	for _, a := range n.mirror.Approvals() {
		out = append(out, Approval{ID: a.ID, Reason: a.Kind.String(), Since: a.Since, Paths: textsOf(a.Paths)})
	}
	return out
}

// Approve publishes exactly one held set. Errors wrap ErrNotFound.
func (n *Node) Approve(ctx context.Context, id string) (Decided, error) {
	decided, err := n.mirror.Approve(ctx, id)
	return decidedOf(decided), approvalError(err)
}

// Restore puts the files of one held set back. Errors wrap ErrNotFound.
func (n *Node) Restore(ctx context.Context, id string) (Decided, error) {
	decided, err := n.mirror.Restore(ctx, id)
	return decidedOf(decided), approvalError(err)
}

func decidedOf(d mirror.Decided) Decided {
	return Decided{Paths: textsOf(d.Paths), Stay: textsOf(d.Stay)}
}

func approvalError(err error) error {
	if errors.Is(err, mirror.ErrNoApproval) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// Marked is what the directory held when it was marked again.
type Marked = mirror.Marked

// Mark marks the directory again, so that a mirror that has stopped without its marker goes
// on. Errors wrap ErrRefused if the directory cannot be marked.
func (n *Node) Mark(ctx context.Context) (Marked, error) {
	marked, err := n.mirror.MarkAgain(ctx)
	return marked, directoryError(err)
}

// Refill marks the empty directory and fills it. Errors wrap ErrRefused if it is not empty, or
// is marked.
func (n *Node) Refill(ctx context.Context) error {
	return directoryError(n.mirror.Refill(ctx))
}

// directoryError tells apart what the state of the directory does not allow.
func directoryError(err error) error {
	for _, refused := range []error{
		mirror.ErrNoDirectory, mirror.ErrForeignMarker, mirror.ErrNotEmpty, mirror.ErrEmpty,
		mirror.ErrMarked, mirror.ErrStopped, mirror.ErrObserving,
	} {
		if errors.Is(err, refused) {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return err
}

func textsOf(paths []definition.Path) []string {
	var texts []string
	for _, p := range paths {
		texts = append(texts, p.String())
	}
	return texts
}
