package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

var _ mirror.Replica = (*member)(nil)

// member is a node of the model: a real mirror and a real replica. Between them stands
// the member itself, as the Replica that the mirror knows. It keeps the mirror's records
// as a disk would, and every call of the mirror is a moment at which something can happen.
type member struct {
	w       *world
	number  int
	key     crypto.PrivKey
	reader  bool
	dir     string
	aside   string
	life    int // of the store
	set     *crdt.Replica
	mirror  *mirror.Mirror // nil while the node is down
	started bool           // it ran before
	fresh   bool           // its next pass is its first

	disk
	places []place
	acts   []*act
	behind []*act // done to files that an export had replaced
	// given is what the replica last gave out for each path.
	given map[definition.Path]definition.View

	passes, moments, at int
	during              []step
	inTurn              bool
	dying               *step // the crash that ends this pass
	appended, exported  int
}

// up opens the mirror, if the node is down.
func (m *member) up() {
	if m.mirror != nil {
		return
	}
	if !m.started && m.number > 0 {
		m.w.deliver(m.w.nodes[0], m, 0) // what its first sync waits for
	}
	m.started = true
	opts := mirror.Options{
		Dir: m.dir, Cluster: cluster, Founder: m.number == 0, MinFree: 1,
		Aside: m.aside, ReadOnly: func() bool { return m.reader },
	}
	var err error
	m.mirror, err = mirror.Open(context.Background(), opts, m)
	mustModel(err)
	m.mirror.OnPlace(func() { m.exported++; m.moment() })
	m.fresh = true
}

// pass does one pass, in the middle of which things may happen.
func (m *member) pass(s step) {
	m.beginPass()
	m.inTurn, m.moments, m.at, m.during = true, 0, s.At, s.During
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(crashed{}) {
				panic(r)
			}
		}()
		if m.fresh || s.N%2 == 0 { // Run begins with a look at everything
			m.fresh = false
			m.mirror.DoPass(context.Background(), true)
		} else {
			m.mirror.DoPass(context.Background(), false, modelPaths[s.Path])
		}
	}()
	m.observe()
	if m.dying != nil {
		m.crash(*m.dying)
		return
	}
	m.inTurn = false
	m.endPass()
}

func (m *member) beginPass() {
	m.passes++
	for i := range m.places {
		p := &m.places[i]
		p.isMatch, p.changed, p.before = false, false, p.shown
	}
}

// endPass notes what a pass that has come to its end has remembered.
func (m *member) endPass() {
	for i := range m.places {
		p := &m.places[i]
		r, ok := m.record(i, m.records)
		if ok {
			p.known = !r.Base().Unknown()
		}
		if p.isMatch && r.Base().Hash() == p.hash() && slices.Equal(r.Base().Heads(), p.matched) { // or it has only looked
			m.inCommon(p)
		}
	}
}

// inCommon notes that a pass found directory and view equal and has remembered it.
func (m *member) inCommon(p *place) {
	p.shown, p.seen, p.base, p.maybe = p.matched, p.matched, p.hash(), nil
	p.known = p.known || len(p.matched) > 0
	if p.act != nil && p.act.fate == pending {
		p.act.fate = equal
	}
	p.act = nil
}

// rest goes on until nothing waits any more.
func (m *member) rest() {
	m.up()
	m.pass(step{Op: opPass})
	for n := range 100 {
		after, quiet := m.mirror.NextPass()
		stopped := m.mirror.Status().Stopped != ""
		switch {
		case stopped && n > 4:
			m.mark()
			continue
		case stopped:
		case quiet:
			return
		case after >= time.Second && m.blocked(): // it is only tried again and again
			return
		}
		<-time.After(after)
		m.pass(step{Op: opPass, N: 1})
	}
	if slices.ContainsFunc(m.places, func(p place) bool { return p.saving != nil }) {
		return // the mirror waits for them to close the file
	}
	failModel("node %d does not come to rest: %+v", m.number, m.mirror.Status())
}

// mark lets somebody mark the directory again, which the mirror does not do by itself.
func (m *member) mark() {
	m.beginPass()
	err := m.mirror.MarkNow(context.Background())
	m.observe()
	m.endPass()
	m.w.note("node %d: marked again: %v", m.number, err)
	if err != nil { // it is empty, and that is meant
		mustModel(os.WriteFile(filepath.Join(m.dir, ".starling"), []byte(cluster+"\n"), 0o644))
	}
}

// crashed unwinds a pass whose process dies.
type crashed struct{}

// moment is one at which something can happen in the middle of a pass. It does not
// return if the process dies.
func (m *member) moment() {
	m.meanwhile()
	if m.dying != nil {
		panic(crashed{})
	}
}

// meanwhile is a moment at which the mirror goes on for a bit if the process dies:
// what it does until the next moment happens to memory only.
func (m *member) meanwhile() {
	if !m.inTurn || m.dying != nil {
		return
	}
	if m.moments++; m.moments != m.at {
		return
	}
	m.observe()
	for _, s := range m.during {
		if m.dying == nil {
			m.w.do(m, s)
		}
	}
}

// observe finds out what the mirror has done to the directory, and whether it may.
func (m *member) observe() {
	for i := range m.places {
		p := &m.places[i]
		now := m.look(i)
		if now.kind == p.kind && now.content == p.content {
			continue
		}
		isParent := i == folderPath && now.kind == folder && m.given[modelPaths[insidePath]].Present
		if isParent && p.kind == nothing {
			now.shown, now.seen, now.base, now.act = p.shown, p.seen, p.base, p.act
			p.become(now) // the folder of a file that was exported
			continue
		}
		if isParent {
			now.kind = nothing // so it was in between
		}
		view := m.given[modelPaths[i]]
		if now.hash() != view.Hash || now.kind == folder {
			failModel("node %d: %s holds %s %q, which is no user's nor the view's, and was %s %q", m.number, modelPaths[i], now.kind, now.content, p.kind, p.content)
		}
		m.w.note("node %d: %s is exported: %s %q", m.number, modelPaths[i], now.kind, now.content)
		if a := p.act; a != nil && a.fate == pending {
			switch {
			case p.hash() == p.base || p.maybe[p.hash()] || m.reader && a.kind == nothing:
			case !m.reader:
				failModel("node %d: an export covers what was not imported: %s", m.number, a)
			case !m.isAside(a):
				failModel("node %d: an export covers what was not put aside: %s", m.number, a)
			}
			a.fate = moot
		}
		now.shown, now.seen, now.base, p.maybe, p.known = view.Heads, view.Heads, view.Hash, nil, true
		p.become(now)
		if isParent {
			now.kind = folder
			p.become(now)
		}
	}
}

// look reads one path.
func (m *member) look(i int) state {
	info, err := os.Lstat(m.file(i))
	if err != nil {
		return state{kind: nothing}
	}
	if info.IsDir() {
		return state{kind: folder}
	}
	b, err := os.ReadFile(m.file(i))
	mustModel(err)
	if p := &m.places[i]; p.content == string(b) && p.kind == broken {
		return state{kind: broken, content: p.content}
	}
	return state{kind: text, content: string(b)}
}

// isAside reports whether a reader's text was put aside.
func (m *member) isAside(a *act) bool {
	b, err := os.ReadFile(filepath.Join(m.aside, modelPaths[a.path].String()+"@"+hashOf(a.content).String()[:12]))
	return err == nil && string(b) == a.content
}

// stop ends the process in order, or as a kill does.
func (m *member) stop(kill bool) {
	if m.mirror == nil {
		return
	}
	end := m.mirror.Abandon
	if !kill {
		end = func() error { return m.mirror.Leave(context.Background()) }
	}
	mustModel(end())
	m.mirror = nil
	// With the process its descriptors are gone, and with these what was, or is
	// going to be, saved to files that it had replaced.
	for _, a := range m.behind {
		if a.fate == pending {
			a.fate = moot
		}
	}
	m.behind = nil
	for i := range m.places {
		if s := m.places[i].saving; s != nil && !m.isAt(s.file, i) {
			s.file.Close()
			m.places[i].saving = nil
		}
	}
}

// decide lets somebody decide about what the guard holds.
func (m *member) decide(publish bool) {
	if m.mirror == nil {
		return
	}
	for _, held := range m.mirror.Approvals() {
		if !publish {
			for _, p := range held.Paths {
				if a := m.places[slices.Index(modelPaths, p)].act; a != nil && a.fate == pending {
					a.fate = moot
				}
			}
		}
		m.passes++
		err := m.mirror.Decide(context.Background(), held.ID, publish)
		m.observe()
		m.w.note("node %d: %d held, published %t: %v", m.number, len(held.Paths), publish, err)
	}
}

// Wake implements mirror.Replica.
func (m *member) Wake() <-chan struct{} { return m.set.Wake() }

// TakeDirty implements mirror.Replica.
func (m *member) TakeDirty() []definition.Path { return m.set.TakeDirty() }

// Paths implements mirror.Replica.
func (m *member) Paths() []definition.Path { return m.set.Paths() }

// View implements mirror.Replica. The mirror has looked at the path just before.
func (m *member) View(p definition.Path) definition.View {
	i := slices.Index(modelPaths, p)
	here := &m.places[i]
	looked := here.state
	if r, ok := m.record(i, m.records); ok && r.IsPlaced(looked.hash(), m.inode(i)) {
		here.known = true // an export that a crash cut off has taken place
	}
	m.moment()
	view := m.set.View(p)
	if looked.hash() == view.Hash && !m.removedDisplaced(here, view) {
		here.seen = view.Heads
		if here.act == looked.act {
			here.matched, here.isMatch = view.Heads, true
		} else { // somebody was quicker than the mirror, who takes it for known
			here.act.seen = view.Heads
		}
	}
	return view
}

// removedDisplaced reports whether a user has removed a file that the view does not have
// either, but only because another path is in its way: then the deletion is still owed.
func (m *member) removedDisplaced(p *place, v definition.View) bool {
	displaced := slices.ContainsFunc(v.Conflicts, func(c definition.Conflict) bool { return c.Kind == definition.ConflictPath })
	return !m.reader && displaced && p.known && p.hash() == (definition.Hash{}) && p.base != (definition.Hash{})
}

// Read implements mirror.Replica.
func (m *member) Read(ctx context.Context, p definition.Path) (definition.View, []byte, error) {
	m.moment()
	view, content, err := m.set.Read(ctx, p)
	m.given[p] = view
	return view, content, err
}

// Merged implements mirror.Replica.
func (m *member) Merged(ctx context.Context, p definition.Path, of ...definition.Version) ([]byte, error) {
	m.moment()
	return m.set.Merged(ctx, p, of...)
}

// Superseded implements mirror.Replica.
func (m *member) Superseded(p definition.Path, h definition.Hash) (time.Time, bool) {
	return m.set.Superseded(p, h)
}

// Append implements mirror.Replica. Each edit must be what a user did, on top of what
// that user saw.
func (m *member) Append(ctx context.Context, d definition.Draft, records func([]definition.Version) map[string][]byte) ([]definition.Version, error) {
	m.moment()
	acts := make([]*act, len(d.Edits))
	for i, e := range d.Edits {
		acts[i] = m.actOf(e)
	}
	var saved map[string][]byte
	versions, err := m.set.Append(ctx, d, func(v []definition.Version) map[string][]byte {
		saved = records(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.appended++
	m.save(saved, true)
	for i, e := range d.Edits {
		m.w.note("node %d: imported %s %q on %d parents as %s", m.number, e.Path, e.Content, len(e.Parents), versions[i].Change.Short())
		m.w.parents[versions[i]] = e.Parents
		m.isImported(acts[i], versions[i])
	}
	m.moment()
	return versions, nil
}

// actOf returns the act that an edit is, and checks that its parents are what the user
// saw.
func (m *member) actOf(e definition.Edit) *act {
	i := slices.Index(modelPaths, e.Path)
	a := m.owed(i, e)
	if a == nil {
		failModel("node %d makes an edit that is nobody's: %s, deleted %t, %q", m.number, e.Path, e.Deleted, e.Content)
	}
	found := m.number > 0 && m.records["synced"] == nil && !m.places[i].known && !slices.Contains(m.behind, a)
	if found && !e.Adopted || e.Adopted && (m.places[i].known || m.number == 0) {
		failModel("node %d imports %s, adopted %t, which it found at its first sync: %t", m.number, a, e.Adopted, found)
	}
	shown, seen := a.onTop()
	parents := m.w.ancestry(e.Path, e.Parents)
	within := m.w.ancestry(e.Path, seen)
	for v := range parents {
		if !within[v] {
			failModel("node %d imports %s as if its user had seen %s", m.number, a, m.w.describe(v))
		}
	}
	for _, v := range shown {
		if !parents[v] && !m.isOnOlder(i, e) {
			failModel("node %d imports %s as if its user had not seen %s", m.number, a, m.w.describe(v))
		}
	}
	return a
}

// isOnOlder reports whether an edit was made on a base that an export has replaced, as its
// content says: then what its user saw meanwhile is merged with it, and not lost.
func (m *member) isOnOlder(i int, e definition.Edit) bool {
	r, ok := m.record(i, m.records)
	if !ok || e.Deleted {
		return false
	}
	ctx := context.Background()
	newer := ""
	if r.Base().Hash() != (definition.Hash{}) {
		content, err := m.set.Merged(ctx, e.Path, r.Base().Heads()...)
		mustModel(err)
		newer = string(content)
	}
	return slices.ContainsFunc(r.Outdated(), func(o mirror.Base) bool {
		if !slices.Equal(o.Heads(), e.Parents) {
			return false
		}
		older, err := m.set.Merged(ctx, e.Path, o.Heads()...)
		mustModel(err)
		return editOf(i, string(older), newer, string(e.Content))
	})
}

// owed finds the act that an edit may be: the last, or one that another took the place
// of in this pass, or one behind an export.
func (m *member) owed(i int, e definition.Edit) *act {
	is := func(a *act) bool {
		live := a.fate == pending || a.fate == superseded && a.pass == m.passes
		return live && a.content == string(e.Content) && (a.kind == nothing) == e.Deleted
	}
	for a := m.places[i].act; a != nil; a = a.on {
		if is(a) {
			return a
		}
	}
	for _, a := range m.behind {
		if a.path == i && is(a) {
			return a
		}
	}
	return nil
}

func (m *member) isImported(a *act, v definition.Version) {
	a.fate, a.version = imported, v
	if slices.Contains(m.behind, a) {
		return
	}
	p := &m.places[a.path]
	p.base, p.maybe, p.known = hashOf(a.content), nil, true
	p.before = []definition.Version{v}
	if p.act == a {
		p.shown, p.seen, p.first = []definition.Version{v}, []definition.Version{v}, []definition.Version{v}
		p.past[len(p.past)-1].shown, p.past[len(p.past)-1].seen = p.shown, p.seen
	}
}

// put changes a file by the API.
func (m *member) put(i, n int) {
	if m.reader {
		return
	}
	ctx := context.Background()
	view, content, err := m.set.Read(ctx, modelPaths[i])
	mustModel(err)
	e := definition.Edit{Path: modelPaths[i], Parents: view.Heads}
	if n%4 == 3 && view.Present {
		e.Deleted = true
	} else {
		e.Content = []byte(m.w.edited(i, string(content), n))
	}
	versions, err := m.set.Append(ctx, definition.Draft{Edits: []definition.Edit{e}}, nil)
	mustModel(err)
	m.sync()
	m.w.parents[versions[0]] = e.Parents
	m.w.note("node %d: put %s %q as %s", m.number, e.Path, e.Content, versions[0].Change.Short())
}

// blocked reports whether all that is to be tried again is in the way of itself: a file
// where a folder must be.
func (m *member) blocked() bool {
	s := m.mirror.Status()
	return slices.ContainsFunc(s.Held, func(h mirror.HeldFile) bool {
		return h.Path == modelPaths[insidePath].String() && strings.Contains(h.Reason, "cannot be brought") &&
			(m.places[folderPath].kind == broken || m.held(folderPath) != "")
	})
}

// held returns why a path is held, or "".
func (m *member) held(i int) string {
	for _, h := range m.mirror.Status().Held {
		if h.Path == modelPaths[i].String() {
			return h.Reason
		}
	}
	return ""
}

// check compares the directory with the view when all is at rest.
func (m *member) check() error {
	var errs []error
	for i := range m.places {
		p := &m.places[i]
		view, content, err := m.set.Read(context.Background(), modelPaths[i])
		mustModel(err)
		switch reason := m.held(i); {
		case reason != "" && (p.kind == broken || p.kind == folder && m.places[insidePath].kind == broken || i == insidePath && p.kind == nothing && m.blocked()):
		case reason != "":
			errs = append(errs, fmt.Errorf("%s is held: %s", modelPaths[i], reason))
		case p.hash() != view.Hash:
			errs = append(errs, fmt.Errorf("%s holds %s %q, the view %q", modelPaths[i], p.kind, p.content, content))
		case p.kind == text && !bytes.Equal([]byte(p.content), content):
			errs = append(errs, fmt.Errorf("%s holds %q, the view %q", modelPaths[i], p.content, content))
		}
	}
	for _, a := range m.acts {
		p := &m.places[a.path]
		undone := p.act == a && (p.base == p.hash() || p.maybe[p.hash()]) // or the machine may have done it
		if a.fate != pending || undone {
			continue
		}
		if m.reader && (a.kind == nothing || m.isAside(a)) {
			continue
		}
		errs = append(errs, fmt.Errorf("lost: %s", a))
	}
	if temps := temporaries(m.dir); len(temps) > 0 {
		errs = append(errs, fmt.Errorf("temporary files are left: %v", temps))
	}
	return errors.Join(errs...)
}

// temporaries returns the mirror's temporary files below dir.
func temporaries(dir string) []string {
	var found []string
	for _, pattern := range []string{".starling-*.tmp", "*/.starling-*.tmp"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		mustModel(err)
		found = append(found, names...)
	}
	return found
}
