package mirror_test

import (
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// planCase is one point of plan's domain.
type planCase struct {
	disk mirror.DiskState
	base mirror.Base
	view definition.View

	unreadable, parses, unknown bool
	d, b, v                     definition.Hash
	heads                       bool // base and view have the same heads
	headless                    bool // the view has no heads
	displaced                   bool // another path keeps the view's file out
}

var planAbsent = definition.Hash{}

// planRows is the table of the mirror, written as conditions that exclude each other.
var planRows = []struct {
	want string
	when func(c planCase) bool
}{
	{"hold", func(c planCase) bool { return c.unreadable }},
	{"noop", func(c planCase) bool {
		return !c.unreadable && !removed(c) && c.d == c.v && (c.b == c.v && c.heads && !c.unknown || nothingKnown(c))
	}},
	{"record", func(c planCase) bool {
		return !c.unreadable && !removed(c) && c.d == c.v && !(c.b == c.v && c.heads && !c.unknown) && !nothingKnown(c)
	}},
	{"export", func(c planCase) bool { // only the view changed
		return !c.unreadable && !c.unknown && c.d == c.b && c.d != c.v && c.v != planAbsent
	}},
	{"delete", func(c planCase) bool {
		return !c.unreadable && !c.unknown && c.d == c.b && c.d != c.v && c.v == planAbsent
	}},
	{"import deletion", func(c planCase) bool { // the file went, whether or not the view changed
		return !c.unreadable && !c.unknown && c.d != c.b && c.d != c.v && c.d == planAbsent || removed(c)
	}},
	{"import", func(c planCase) bool {
		return !c.unreadable && !c.unknown && c.d != c.b && c.d != c.v && c.d != planAbsent && c.parses
	}},
	{"hold", func(c planCase) bool {
		return !c.unreadable && !c.unknown && c.d != c.b && c.d != c.v && c.d != planAbsent && !c.parses
	}},
	{"export", func(c planCase) bool { // before the first complete sync
		return !c.unreadable && c.unknown && c.d != c.v && c.d == planAbsent
	}},
	{"adopt", func(c planCase) bool {
		return !c.unreadable && c.unknown && c.d != c.v && c.d != planAbsent && c.parses
	}},
	{"hold", func(c planCase) bool {
		return !c.unreadable && c.unknown && c.d != c.v && c.d != planAbsent && !c.parses
	}},
}

// removed: by the user, while the view is absent only because another path is in the way.
func removed(c planCase) bool {
	return !c.unreadable && !c.unknown && c.displaced && c.d == planAbsent && c.b != planAbsent
}

// nothingKnown: neither the disk nor the replica knows the path.
func nothingKnown(c planCase) bool {
	return c.d == planAbsent && c.headless && c.b == planAbsent
}

func TestPlanEveryCase(t *testing.T) {
	hashes := []definition.Hash{planAbsent, definition.HashOf([]byte("x")), definition.HashOf([]byte("y")), definition.HashOf([]byte("z"))}
	p := path("a.json")
	h1 := definition.Version{Change: definition.ChangeID{1}, Path: p}
	h2 := definition.Version{Change: definition.ChangeID{2}, Path: p}
	headSets := [][]definition.Version{nil, {h1}, {h2}, {h2, h1}}

	seen := make(map[string]int)
	for _, d := range hashes {
		for _, unreadable := range []bool{false, true} {
			for _, parses := range []bool{false, true} {
				for _, b := range hashes {
					for _, unknown := range []bool{false, true} {
						for _, v := range hashes {
							for i, bh := range headSets {
								for j, vh := range headSets {
									kind := mirror.Present
									hash := d
									switch {
									case unreadable:
										kind, hash = mirror.Unreadable, planAbsent
									case d == planAbsent:
										kind = mirror.Absent
									}
									c := planCase{
										disk:       mirror.NewDiskState(kind, hash, parses),
										base:       mirror.NewBase(b, unknown, bh...),
										view:       definition.View{Path: p, Present: v != planAbsent, Hash: v, Heads: vh},
										unreadable: unreadable, parses: parses, unknown: unknown,
										d: hash, b: b, v: v, heads: i == j, headless: len(vh) == 0,
									}
									seen[checkPlan(t, c)]++
									if v == planAbsent {
										c.displaced = true
										c.view.Conflicts = []definition.Conflict{{Kind: definition.ConflictPath, Stands: definition.Version{Path: path("A.json")}}}
										seen[checkPlan(t, c)]++
									}
								}
							}
						}
					}
				}
			}
		}
	}
	t.Logf("cases by action: %v", seen)
}

// checkPlan checks that one row, and no other, speaks of the case, and what it says.
func checkPlan(t *testing.T, c planCase) string {
	t.Helper()
	got := mirror.Plan(c.disk, c.base, c.view)
	rows := 0
	for _, row := range planRows {
		if !row.when(c) {
			continue
		}
		rows++
		if got != row.want {
			t.Errorf("plan(%+v, %+v, %+v) = %s, want %s", c.disk, c.base, c.view, got, row.want)
		}
	}
	if rows != 1 {
		t.Errorf("%d rows of the table speak of %+v, want 1", rows, c)
	}
	switch got := mirror.ReaderPlan(c.disk, c.base, c.view); got {
	case "import", "adopt", "import deletion":
		t.Errorf("a reader's plan of %+v is %s", c, got)
	}
	return got
}
