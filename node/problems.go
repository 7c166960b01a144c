package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/node/nodepb"
)

// Problem is something that needs an operator.
type Problem struct {
	Code ProblemCode
	Text string // what is wrong
	Do   string // what to do about it
}

// ProblemCode is the stable name of a kind of problem.
type ProblemCode string

// Codes of problems.
const (
	ProblemMirrorStopped ProblemCode = "mirror_stopped"
	ProblemMirrorFailing ProblemCode = "mirror_failing"
	ProblemStore         ProblemCode = "store"
	ProblemLowSpace      ProblemCode = "low_space"
	ProblemUnwatched     ProblemCode = "unwatched"
	ProblemRevoked       ProblemCode = "revoked"
	ProblemApproval      ProblemCode = "approval"
	ProblemHeld          ProblemCode = "held"
	ProblemConflicts     ProblemCode = "conflicts"
	ProblemFlipping      ProblemCode = "flipping"
	ProblemForkedKey     ProblemCode = "forked_key"
	ProblemRules         ProblemCode = "rules"
	ProblemStalled       ProblemCode = "stalled"
	ProblemClock         ProblemCode = "clock"
	ProblemExtensions    ProblemCode = "extensions"
	ProblemUnreachable   ProblemCode = "unreachable"
	ProblemMember        ProblemCode = "member"
)

// seenByAll reports whether every member sees such a problem by itself, or has it from
// another: nobody tells others of it.
func (c ProblemCode) seenByAll() bool {
	switch c {
	case ProblemConflicts, ProblemFlipping, ProblemForkedKey, ProblemClock, ProblemExtensions, ProblemMember:
		return true
	default:
		return false
	}
}

// problems lists what needs an operator, the most pressing first.
func (n *Node) problems(s Status, mirrored mirror.Status, forked string) []Problem {
	var out problemList
	if mirrored.Stopped != "" {
		out.add(ProblemMirrorStopped, "mount or restore the directory; nothing was deleted anywhere", "the directory is not mirrored: %s", mirrored.Stopped)
	}
	if lost, do := n.lost(); lost != "" {
		out.add(ProblemStore, do, "%s; the directory is left as it is, and nothing is published", lost)
	}
	if mirrored.Failing != "" && mirrored.Stopped == "" && mirrored.LowSpace == "" {
		out.add(ProblemMirrorFailing, "mend the cause; it is tried again by itself", "the directory cannot be kept up to date: %s", mirrored.Failing)
	}
	if mirrored.LowSpace != "" {
		out.add(ProblemLowSpace, "free disk space", "no file is taken in: %s", mirrored.LowSpace)
	}
	if err := n.replica.Space(); err != nil {
		out.add(ProblemLowSpace, "free disk space", "no change is taken in: %v", err)
	}
	if mirrored.Unwatched != "" {
		out.add(ProblemUnwatched, "raise the limit", "changes of the directory are found every %v only: %s", mirrored.Rescan, mirrored.Unwatched)
	}
	if m, ok := n.replica.Member(n.identity.Peer); ok && m.Revoked {
		out.add(ProblemRevoked, "join anew with another data directory, or stop this node", "this node was revoked")
	}
	guarded := make(map[string]bool)
	for _, a := range n.mirror.Approvals() {
		for _, p := range a.Paths {
			guarded[p.String()] = true
		}
	}
	if len(guarded) > 0 {
		out.add(ProblemApproval, `look at them with "starling approve"`, "files are held back until somebody approves them: %d", len(guarded))
	}
	held := slices.DeleteFunc(slices.Clone(s.Held), func(h HeldFile) bool { return guarded[h.Path] })
	if len(held) > 0 {
		out.add(ProblemHeld, cmp.Or(held[0].Do, "mend or remove the file"), "files are held: %d, the first is %s: %s", len(held), held[0].Path, held[0].Reason)
	}
	if s.Conflicts > 0 {
		out.add(ProblemConflicts, `look at them with "starling conflicts", end them with "starling resolve"`, "conflicts are open: %d", s.Conflicts)
	}
	n.addFlips(&out)
	if forked != "" {
		out.add(ProblemForkedKey, "find the copy of the node and stop it, then revoke the key", "two nodes sign with the key of %s", forked)
	}
	if rules := n.replica.Stats().Rules; rules > definition.MergeVersion {
		out.add(ProblemRules, "upgrade this node", "the cluster merges by rules %d, this node knows %d: merged files are held", rules, definition.MergeVersion)
	}
	n.addOthers(&out, s)
	return out
}

// problemList collects problems.
type problemList []Problem

func (l *problemList) add(code ProblemCode, do, format string, args ...any) {
	*l = append(*l, Problem{Code: code, Text: fmt.Sprintf(format, args...), Do: do})
}

// namedFlips is how many files that flip Status names.
const namedFlips = 3

// addFlips adds the files that go back and forth.
func (n *Node) addFlips(out *problemList) {
	found := n.flips.now(time.Now())
	names := n.names()
	for i, f := range found {
		if i == namedFlips {
			out.add(ProblemFlipping, `look at them with "starling log"`, "more files go back and forth: %d", len(found)-namedFlips)
			break
		}
		between := make([]string, 0, len(f.Nodes))
		for _, id := range f.Nodes {
			between = append(between, nameOf(names, id))
		}
		out.add(ProblemFlipping, "find what writes it on each of them, and let one of them write it",
			"%s goes back and forth between %s: %d times in %v", f.Path, strings.Join(between, " and "), f.Count, flipTime)
	}
}

// addOthers adds what the other members, or the way to them, have to do with.
func (n *Node) addOthers(out *problemList, s Status) {
	now := time.Now()
	if stalled := n.lookout.stalled(now); stalled > 0 && s.Behind > 0 {
		out.add(ProblemStalled, `see "starling peers" and the log`, "this node is %d elements behind and has got nothing for %v", s.Behind, stalled.Round(time.Second))
	}
	members, clocks := n.lookout.state(now, n.names(), n.exchange.Peers())
	if off := clocksOff(clocks); off != "" {
		out.add(ProblemClock, "set the clock: of two edits at once the later one stands", "%s", off)
	}
	own := n.extensions()
	var different, away []string
	for _, m := range members {
		if len(m.extensions) > 0 && !slices.Equal(m.extensions, own) {
			different = append(different, fmt.Sprintf("%s mirrors %s", m.name, strings.Join(m.extensions, " ")))
		}
		if m.away > 0 {
			away = append(away, fmt.Sprintf("%s (for %v)", m.name, m.away.Round(time.Second)))
		}
	}
	if len(different) > 0 {
		out.add(ProblemExtensions, "set the same extensions in the configuration of all", "members mirror files of different endings: this node mirrors %s, %s",
			strings.Join(own, " "), firstOf(different))
	}
	if len(away) > 0 {
		out.add(ProblemUnreachable, `start them, mend the network, or "starling revoke" who is gone for good`, "members cannot be reached: %s", firstOf(away))
	}
	for _, m := range members {
		if p := m.problem; p != nil && (len(away) == 0 || p.GetCode() != string(ProblemUnreachable)) {
			out.add(ProblemMember, `see "starling status" there`, "%s says: %s", m.name, p.GetText())
		}
	}
}

// firstOf returns the first few of several texts, and how many more there are.
func firstOf(texts []string) string {
	const most = 5
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
}

// ownProblem returns the first of this node's problems that others cannot see by themselves,
// nil if there is none.
func (n *Node) ownProblem(ctx context.Context) *nodepb.Problem {
	for _, p := range n.Status(ctx).Problems {
		if !p.Code.seenByAll() {
			return &nodepb.Problem{Code: string(p.Code), Text: bounded(p.Text)}
		}
	}
	return nil
}

// bounded returns a text as it is told to others: valid, and not too long.
func bounded(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= maxMemberProblem {
		return text
	}
	return strings.ToValidUTF8(text[:maxMemberProblem], "") + "..."
}
