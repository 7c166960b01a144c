package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// trio is the data and the directories of three nodes of one cluster, a, b and c.
type trio struct{ data, dirs [3]string }

func newTrio(t *testing.T) *trio {
	t.Helper()
	const listen = "/ip4/127.0.0.1/tcp/0"
	c := new(trio)
	for i := range c.data {
		c.data[i], c.dirs[i] = filepath.Join(t.TempDir(), "data"), t.TempDir()
	}
	if _, err := node.Init(t.Context(), node.InitOptions{Data: c.data[0], Dir: c.dirs[0], Name: "a", Listen: listen}); err != nil {
		t.Fatal(err)
	}
	a := c.open(t, 0, node.Options{})
	token, err := a.Invite(t.Context(), node.InviteOptions{Uses: 2, Role: trust.RoleWriter})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 3; i++ {
		o := node.JoinOptions{Data: c.data[i], Dir: c.dirs[i], Name: string("abc"[i]), Listen: listen, Token: token}
		if _, err := node.Join(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	closeNode(t, a)
	return c
}

// open runs one of the nodes until it or the test ends.
func (c *trio) open(t *testing.T, i int, o node.Options) *node.Node {
	t.Helper()
	o.Data = c.data[i]
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNode(t, n) })
	return n
}

// closeNode ends a node; to end it twice is nothing.
func closeNode(t *testing.T, n *node.Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// same says how the elements of two nodes differ, or nil.
func same(t *testing.T, a, b *node.Node) error {
	t.Helper()
	if x, y := a.Status(t.Context()), b.Status(t.Context()); x.Elements != y.Elements || x.Heads != 1 || y.Heads != 1 {
		return fmt.Errorf("elements: %d with %d heads and %d with %d", x.Elements, x.Heads, y.Elements, y.Heads)
	}
	return nil
}

// problemsOf returns the texts of a node's problems of a kind.
func problemsOf(ctx context.Context, n *node.Node, code node.ProblemCode) (texts []string) {
	for _, p := range n.Status(ctx).Problems {
		if p.Code == code {
			texts = append(texts, p.Text)
		}
	}
	return texts
}

// wantProblem waits until a node has a problem of a kind whose text matches.
func wantProblem(t *testing.T, n *node.Node, code node.ProblemCode, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	eventually(t, func() error {
		got := problemsOf(t.Context(), n, code)
		if !slices.ContainsFunc(got, want.MatchString) {
			return fmt.Errorf("problems %s: got %q, want a match of %s", code, got, pattern)
		}
		if s := n.Status(t.Context()).State; s != node.StateProblem {
			return fmt.Errorf("state: got %s with problems", s)
		}
		return nil
	})
}

func wantNoProblem(t *testing.T, n *node.Node, code node.ProblemCode) {
	t.Helper()
	eventually(t, func() error {
		if got := problemsOf(t.Context(), n, code); len(got) > 0 {
			return fmt.Errorf("problems %s: got %q, want none", code, got)
		}
		return nil
	})
}

func TestState(t *testing.T) {
	problems := []node.Problem{{Code: node.ProblemHeld}}
	for _, tt := range []struct {
		status node.Status
		want   node.State
	}{
		{node.Status{Ready: true}, node.StateWell},
		{node.Status{Ready: true, Syncing: true, Behind: 1}, node.StateCatchingUp},
		{node.Status{Ready: true, Syncing: true}, node.StateBusy},
		{node.Status{Ready: true, Waiting: []node.WaitingFile{{Path: "a.json"}}}, node.StateBusy},
		{node.Status{Behind: 1}, node.StateStarting},
		{node.Status{}, node.StateStarting},
		{node.Status{Ready: true, Behind: 1, Problems: problems}, node.StateProblem},
		{node.Status{Problems: problems}, node.StateProblem},
	} {
		if got := node.StateOf(tt.status); got != tt.want {
			t.Errorf("ready %t, %d behind, %d problems: got %s, want %s", tt.status.Ready, tt.status.Behind, len(tt.status.Problems), got, tt.want)
		}
	}
}

// TestLookoutMissesMembers by its own clock, minute by minute.
func TestLookoutMissesMembers(t *testing.T) {
	const b, c = peer.ID("b"), peer.ID("c")
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	l := node.NewLookout()
	both := []peer.ID{b, c}
	wantAway := func(s int, want ...peer.ID) {
		t.Helper()
		var got []peer.ID
		for id := range l.Away(at(s)) {
			got = append(got, id)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("after %d s: away are %q, want %q", s, got, want)
		}
	}
	wantAsked := func(got []peer.ID, want ...peer.ID) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("asked are %q, want %q", got, want)
		}
	}
	// Nobody is missed before a minute has passed since the start.
	wantAsked(l.Look(at(0), both, nil, nil))
	wantAway(60)
	wantAsked(l.Look(at(61), both, []peer.ID{b}, map[peer.ID]time.Time{b: at(61)}), b)
	wantAway(61, c)
	// Whom one hears of is there; it is asked when it comes and then every ten seconds.
	wantAsked(l.Look(at(63), both, []peer.ID{b}, map[peer.ID]time.Time{b: at(61)}))
	wantAsked(l.Look(at(71), both, []peer.ID{b}, map[peer.ID]time.Time{b: at(70)}), b)
	wantAway(71, c)
	// It goes, and is missed a minute after it was last heard of; the other comes back.
	wantAsked(l.Look(at(73), both, []peer.ID{c}, map[peer.ID]time.Time{c: at(73)}), c)
	wantAway(74)
	wantAway(130)
	wantAway(131, b)
	// Who is connected and says nothing is missed too.
	l.Look(at(150), both, both, map[peer.ID]time.Time{c: at(80)})
	wantAway(150, b, c)
	// Who is no member any more is missed by nobody.
	l.Look(at(200), []peer.ID{c}, nil, nil)
	wantAway(201, c)

	// Behind, and nothing comes.
	for _, step := range []struct{ s, behind, elements, stalled int }{
		{0, 0, 10, 0}, {10, 5, 10, 0}, {60, 5, 10, 0}, {69, 5, 10, 0}, {71, 5, 10, 61}, {80, 4, 11, 0}, {141, 4, 11, 61}, {142, 0, 15, 0}, {300, 0, 15, 0},
	} {
		l.NoteBehind(at(step.s), step.behind, step.elements)
		if got := l.Stalled(at(step.s)); got != time.Duration(step.stalled)*time.Second {
			t.Errorf("after %d s: stalled for %v, want %d s", step.s, got, step.stalled)
		}
	}
}

// TestAMemberThatIsAway is told, with its name, until it is back.
func TestAMemberThatIsAway(t *testing.T) {
	t.Parallel()
	c := newTrio(t)
	o := node.Options{}.Impatient(2 * time.Second)
	a, b := c.open(t, 0, o), c.open(t, 1, o)
	wantProblem(t, a, node.ProblemUnreachable, `^members cannot be reached: c \(for \d+s\)$`)
	third := c.open(t, 2, o)
	wantNoProblem(t, a, node.ProblemUnreachable)
	wantNoProblem(t, b, node.ProblemUnreachable)
	closeNode(t, third)
	closeNode(t, b)
	wantProblem(t, a, node.ProblemUnreachable, `^members cannot be reached: b \(for \d+s\), c \(for \d+s\)$`)
	c.open(t, 1, o)
	c.open(t, 2, o)
	eventually(t, func() error {
		if s := a.Status(t.Context()); s.State != node.StateWell {
			return fmt.Errorf("got %s, %v, want it well", s.State, s.Problems)
		}
		return nil
	})
}

// TestAMembersProblem is told by the others, but what they see themselves, and not in turn.
func TestAMembersProblem(t *testing.T) {
	t.Parallel()
	c := newTrio(t)
	o := node.Options{}.Impatient(20 * time.Second)
	a, b, third := c.open(t, 0, o), c.open(t, 1, o), c.open(t, 2, o)
	broken := filepath.Join(c.dirs[1], "broken-1.json")
	if err := os.WriteFile(broken, []byte("{ no"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node.Node{a, third} {
		wantProblem(t, n, node.ProblemMember, `^b says: files are held: 1, the first is broken-1.json: it is no definition`)
	}
	// They tell it, and b does not hear of its own problem from them.
	if got := problemsOf(t.Context(), b, node.ProblemMember); len(got) > 0 {
		t.Errorf("b has %q, want no problem of others", got)
	}
	if got := problemsOf(t.Context(), a, node.ProblemMember); len(got) > 1 {
		t.Errorf("a has %q, want the problem of b only", got)
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node.Node{a, b, third} {
		wantNoProblem(t, n, node.ProblemMember)
		wantNoProblem(t, n, node.ProblemHeld)
	}
	// A conflict is in the set: each says it by itself, once.
	edit(t, a, "one-7.json", `{"id": 7}`)
	edit(t, a, "two-7.json", `{"id": 7}`)
	for _, n := range []*node.Node{a, b, third} {
		wantProblem(t, n, node.ProblemConflicts, `^conflicts are open: 1$`)
		if got := n.Status(t.Context()).Problems; len(got) != 1 {
			t.Errorf("got %v, want one problem", got)
		}
	}
}

// TestMembersOfOtherEndings are told by status and by verify, of which neither ever says
// that a file is not there yet.
func TestMembersOfOtherEndings(t *testing.T) {
	t.Parallel()
	c := newTrio(t)
	config := filepath.Join(c.data[1], "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, "extensions: [.json]\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	o := node.Options{}.Impatient(20 * time.Second)
	a, b, third := c.open(t, 0, o), c.open(t, 1, o), c.open(t, 2, o)
	wantProblem(t, a, node.ProblemExtensions, `this node mirrors \.json \.yaml \.yml, b mirrors \.json$`)
	wantProblem(t, b, node.ProblemExtensions, `this node mirrors \.json, a mirrors \.json \.yaml \.yml, c mirrors`)
	edit(t, b, "three-3.yml", "id: 3") // the others mirror it
	eventually(t, func() error {
		for _, n := range []*node.Node{a, b, third} {
			v := n.Verify(t.Context())
			if v.Equal {
				return fmt.Errorf("%+v: want a difference", v)
			}
			for _, m := range v.Members {
				switch {
				case m.Name == "b" && !strings.Contains(m.Difference, "three-3.yml is missing: files of this ending are not mirrored there"),
					m.Name == "b" && n != b && !strings.Contains(m.Difference, "it mirrors .json, this node .json .yaml .yml"),
					strings.Contains(m.Difference, "yet"):
					return fmt.Errorf("difference of %s: got %q", m.Name, m.Difference)
				}
			}
		}
		return nil
	})
}
