package definition

import (
	"errors"
	"fmt"
)

// errAnchors is why two versions of a YAML document do not merge by structure.
var errAnchors = errors.New("YAML anchors: a value that has an anchor or is an alias was changed, which can change other places too")

// checkAnchors returns an error that wraps errAnchors if a side changed a value of YAML that has
// an anchor or is an alias. Everything else in such a document merges: the texts of these
// values stay as they are in the later side's text.
func checkAnchors(base, later, earlier *side) error {
	changed := changedAnchor(later.root, earlier.root)
	if base.root != nil {
		changed = changed && (changedAnchor(base.root, later.root) || changedAnchor(base.root, earlier.root))
	}
	if changed {
		return fmt.Errorf("%w: %w", ErrNoMerge, errAnchors)
	}
	return nil
}

// changedAnchor reports whether values with anchors or aliases at or below b, of the base, are
// other values at or below n, of s. Values that are not there are nil.
func changedAnchor(b, n *node) bool {
	switch {
	case b == nil || n == nil:
		return b != nil && b.anchors || n != nil && n.anchors
	case !b.anchors && !n.anchors, b.id == n.id:
		return false
	case b.anchored || n.anchored:
		return true
	case !b.isContainer() || !n.isContainer() || b.kind != n.kind:
		return anyAnchors(b.kids) || anyAnchors(n.kids)
	case b.kind == Object:
		inBase, inSide := membersOf(b), membersOf(n)
		for i := range b.kids {
			if kid, _ := inSide.get(b.kids[i].key); changedAnchor(&b.kids[i], kid) {
				return true
			}
		}
		for i := range n.kids {
			if kid, _ := inBase.get(n.kids[i].key); kid == nil && n.kids[i].anchors {
				return true
			}
		}
		return false
	}
	steps, ok := align(b.kids, n.kids)
	for _, step := range steps {
		if changedAnchor(itemAt(b.kids, step.from), itemAt(n.kids, step.to)) {
			return true
		}
	}
	return !ok
}

func anyAnchors(kids []node) bool {
	for i := range kids {
		if kids[i].anchors {
			return true
		}
	}
	return false
}
