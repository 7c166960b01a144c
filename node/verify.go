package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node/nodepb"
)

// Verification is the answer to: do all nodes hold the same?
type Verification struct {
	// Equal: every standing member answered, and its view and directory are equal
	// to this node's view.
	Equal       bool
	Definitions int    // in this node's view
	Digest      string // of this node's view
	Members     []MemberVerdict
}

// MemberVerdict is what came out for one standing member.
type MemberVerdict struct {
	Name           string
	ID             peer.ID
	Answered       bool
	SetEqual       bool // it has the same elements
	ViewEqual      bool // its view is this node's
	DirectoryEqual bool // its directory holds this node's view
	Difference     string
}

// holding is one path in a node's view and directory.
type holding struct {
	path            definition.Path
	view, directory definition.Hash // zero if absent
	held            string
}

// holdings is all that a node holds.
type holdings struct {
	files           []holding // in order
	view, directory definition.Hash
	quiet           bool // nothing waits or is about to change
	trouble         string
}

// holdings looks at the view and at the directory itself.
func (n *Node) holdings(ctx context.Context) holdings {
	files := make(map[definition.Path]*holding)
	at := func(p definition.Path) *holding {
		if files[p] == nil {
			files[p] = &holding{path: p}
		}
		return files[p]
	}
	for _, v := range n.replica.Views() {
		if v.Present {
			at(v.Path).view = v.Hash
		}
	}
	var out holdings
	entries, quiet, err := n.mirror.Digest(ctx)
	if err != nil {
		out.trouble = err.Error()
	}
	out.quiet = quiet
	for p, hash := range entries {
		at(p).directory = hash
	}
	for _, h := range n.mirror.Status().Held {
		if p, err := definition.ParsePath(h.Path); err == nil {
			at(p).held = h.Reason
		}
	}
	for _, f := range files {
		out.files = append(out.files, *f)
	}
	slices.SortFunc(out.files, func(a, b holding) int { return a.path.Compare(b.path) })
	out.view = digestOf(out.files, func(h holding) definition.Hash { return h.view })
	out.directory = digestOf(out.files, func(h holding) definition.Hash { return h.directory })
	return out
}

func digestOf(files []holding, which func(holding) definition.Hash) definition.Hash {
	return crdt.DigestOf(func(yield func(definition.Path, definition.Hash) bool) {
		for _, f := range files {
			if h := which(f); h != (definition.Hash{}) && !yield(f.path, h) {
				return
			}
		}
	})
}

// Verify asks every standing member what it holds and compares it with this
// node's view. It blocks for as long as the slowest answer, at most askTime.
func (n *Node) Verify(ctx context.Context) Verification {
	answers := n.reports.ask(ctx, n.reachableOthers(), question{files: true})
	own := n.holdings(ctx)
	v := Verification{Equal: true, Digest: own.view.String()}
	for _, f := range own.files {
		if f.view != (definition.Hash{}) {
			v.Definitions++
		}
	}
	for _, m := range n.replica.Members() {
		if m.Revoked {
			continue
		}
		verdict := MemberVerdict{Name: m.Name, ID: m.ID}
		switch a, asked := answers[m.ID]; {
		case m.ID == n.identity.Peer:
			verdict.Answered, verdict.SetEqual = true, true
			verdict.judge(own, own)
		case !asked:
			verdict.Difference = "it is not reachable"
		case a.err != nil:
			verdict.Difference = "it did not answer"
		default:
			theirs, err := parseHoldings(a.report)
			if err != nil {
				verdict.Difference = err.Error()
				break
			}
			verdict.Answered = true
			var p Peer
			n.compare(&p, a.heads, int(a.report.GetElements()))
			verdict.SetEqual = p.Equal
			verdict.judge(own, theirs)
			if verdict.Difference != "" && !p.Equal {
				verdict.Difference += fmt.Sprintf("; it lacks %d elements and has %d more", p.Behind, p.Ahead)
			}
		}
		v.Equal = v.Equal && verdict.Answered && verdict.ViewEqual && verdict.DirectoryEqual
		v.Members = append(v.Members, verdict)
	}
	return v
}

// judge compares what a member holds with the view that it should hold.
func (v *MemberVerdict) judge(want, got holdings) {
	v.ViewEqual = got.view == want.view
	v.DirectoryEqual = got.directory == want.view
	if v.ViewEqual && v.DirectoryEqual {
		return
	}
	for i, j := 0, 0; i < len(want.files) || j < len(got.files); {
		var w, g holding
		switch {
		case j == len(got.files) || i < len(want.files) && want.files[i].path.Compare(got.files[j].path) < 0:
			w = want.files[i]
			g.path = w.path
			i++
		case i == len(want.files) || want.files[i].path.Compare(got.files[j].path) > 0:
			g = got.files[j]
			w.path = g.path
			j++
		default:
			w, g = want.files[i], got.files[j]
			i, j = i+1, j+1
		}
		if d := difference(w, g); d != "" {
			v.Difference = d
			break
		}
	}
	if got.trouble != "" {
		v.Difference = strings.TrimPrefix(v.Difference+"; "+got.trouble, "; ")
	}
}

// difference says how a member's file differs from what it should be, and why.
func difference(want, got holding) string {
	absent := definition.Hash{}
	cause := ""
	switch {
	case got.held != "":
		cause = ": it is held, " + got.held
	case got.view != want.view:
		cause = ": its view differs"
	case got.directory != got.view:
		cause = ": its directory is not what its view says yet"
	}
	switch {
	case got.directory == want.view && got.view == want.view:
		return ""
	case want.view == absent:
		return want.path.String() + " should be absent" + cause
	case got.directory == absent:
		return want.path.String() + " is missing" + cause
	default:
		return want.path.String() + " has other bytes" + cause
	}
}

func parseHoldings(r *nodepb.Report) (holdings, error) {
	h := holdings{trouble: r.GetTrouble()}
	for _, f := range r.GetFiles() {
		p, err := definition.ParsePath(f.GetPath())
		if err != nil {
			return holdings{}, fmt.Errorf("it answered with a malformed path")
		}
		file := holding{path: p, held: f.GetHeld()}
		copy(file.view[:], f.GetView())
		copy(file.directory[:], f.GetDirectory())
		h.files = append(h.files, file)
	}
	if !slices.IsSortedFunc(h.files, func(a, b holding) int { return a.path.Compare(b.path) }) {
		return holdings{}, fmt.Errorf("it answered out of order")
	}
	h.view = digestOf(h.files, func(h holding) definition.Hash { return h.view })
	h.directory = digestOf(h.files, func(h holding) definition.Hash { return h.directory })
	return h, nil
}

// SyncResult is what SyncOnce came to.
type SyncResult struct {
	// PeersFound is how many members were there.
	PeersFound int
	// Equal: this node and all of them hold the same.
	Equal bool
}

// SyncOnce waits until this node and the members that are there hold the same, or
// ctx ends. The error is ctx's, or wraps ErrRefused if the directory must not be touched.
func (n *Node) SyncOnce(ctx context.Context) (SyncResult, error) {
	var result SyncResult
	var stopped error
	var since time.Time
	err := n.poll(ctx, func() bool {
		if stopped = n.directoryStopped(); stopped == nil {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		} else if time.Since(since) > stoppedTime {
			return true // nobody will mend it meanwhile
		}
		there := n.reachableOthers()
		result.PeersFound = max(result.PeersFound, len(there))
		if len(there) == 0 || !n.isReady() {
			return false
		}
		result.Equal = true
		for _, m := range n.Verify(ctx).Members {
			if m.ID == n.identity.Peer || slices.Contains(there, m.ID) {
				result.Equal = result.Equal && m.Answered && m.ViewEqual && m.DirectoryEqual
			}
		}
		return result.Equal
	})
	if stopped != nil {
		err = stopped
	}
	return result, err
}

// stoppedTime is how long the mirror may take to find out by itself that its directory is the
// right one.
const stoppedTime = 4 * time.Second

// directoryStopped is an error that wraps ErrRefused while the directory must not be touched.
func (n *Node) directoryStopped() error {
	if reason := n.mirror.Status().Stopped; reason != "" {
		return fmt.Errorf("%w: the directory is not mirrored: %s", ErrRefused, reason)
	}
	return nil
}
