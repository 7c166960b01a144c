package node_test

import (
	"testing"
	"time"

	"github.com/starling-sync/starling/node"
)

func TestClocksOff(t *testing.T) {
	const s, m = time.Second, time.Minute
	read := func(name string, ahead time.Duration) node.Reading { return node.Reading{Name: name, Ahead: ahead} }
	for _, tt := range []struct {
		name   string
		others []node.Reading
		want   string
	}{
		{"alone", nil, ""},
		{"two, equal", []node.Reading{read("b", 59*s)}, ""},
		{"two, and nobody can tell whose", []node.Reading{read("b", -75*s)}, "the clocks of this node and of b differ: that of b is 1m15s behind this node's"},
		{"within the margin", []node.Reading{{Name: "b", Ahead: 61 * s, Margin: 2 * s}}, ""},
		{"one of the others", []node.Reading{read("b", s), read("c", 5*m)}, "the clock of c is 4m59s ahead of the others'"},
		{"this node's", []node.Reading{read("b", 2*m), read("c", 2*m+s)}, "the clock of this node is 2m0s behind the others'"},
		{"this node's, of four", []node.Reading{read("b", -2*m), read("c", -2*m), read("d", -2*m)}, "the clock of this node is 2m0s ahead of the others'"},
		{"two of five", []node.Reading{read("b", 0), read("c", -2*m), read("d", 3*m), read("e", 0)}, "the clock of c is 2m0s behind the others', the clock of d is 3m0s ahead of the others'"},
		{"half and half", []node.Reading{read("b", 0), read("c", 100*s), read("d", 100*s)}, "the clocks of this node and of c differ: that of c is 1m40s ahead of this node's"},
		{"all within a minute", []node.Reading{read("b", -29*s), read("c", 29*s), read("d", 20*s)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := node.ClocksOff(tt.others...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	asked := time.Unix(1000, 0)
	if ahead, margin := node.ReadClock(time.Unix(1100, 0), asked, asked.Add(4*s)); ahead != 98*s || margin != 2*s {
		t.Errorf("got %v ahead within %v, want 1m38s within 2s", ahead, margin)
	}
}

// TestAClockThatIsOff is told by all, with whose it is.
func TestAClockThatIsOff(t *testing.T) {
	t.Parallel()
	c := newTrio(t)
	usual := node.Options{}.Impatient(20 * time.Second)
	a, b := c.open(t, 0, usual), c.open(t, 1, usual)
	third := c.open(t, 2, usual.ClockAhead(3*time.Minute))
	wantProblem(t, a, node.ProblemClock, `^the clock of c is (2m59s|3m0s) ahead of the others'$`)
	wantProblem(t, b, node.ProblemClock, `^the clock of c is (2m59s|3m0s) ahead of the others'$`)
	wantProblem(t, third, node.ProblemClock, `^the clock of this node is (2m59s|3m0s) ahead of the others'$`)
	closeNode(t, third)
	wantNoProblem(t, a, node.ProblemClock)
	c.open(t, 2, usual)
	wantNoProblem(t, b, node.ProblemClock)
}
