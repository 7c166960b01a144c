package mirror_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/oracle"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/trust"
)

const modelNodes = 3

// world is one run of the model.
type world struct {
	dir     string
	cluster trust.ClusterID
	nodes   []*member
	// texts are all that users have written, by path.
	texts [][]string
	// parents are those of each version.
	parents map[definition.Version][]definition.Version
	count   int
	trace   []string
}

// newWorld makes the nodes, of which none runs yet. The first founds the cluster, the
// last is a reader if the run says so.
func newWorld(t *testing.T, dir string) *world {
	w := &world{dir: dir, texts: make([][]string, len(modelPaths)), parents: make(map[definition.Version][]definition.Version)}
	authority := modelKey(modelNodes)
	id, err := trust.ClusterOf(authority.GetPublic())
	mustModel(err)
	w.cluster = id
	for i := range modelNodes {
		m := &member{
			w: w, number: i, key: modelKey(i), reader: i == modelNodes-1,
			dir:    filepath.Join(dir, fmt.Sprint("dir-", i)),
			aside:  filepath.Join(dir, fmt.Sprint("aside-", i)),
			places: make([]place, len(modelPaths)),
			given:  make(map[definition.Path]definition.View),
		}
		m.records = make(map[string][]byte)
		for i := range m.places {
			m.places[i].become(state{kind: nothing})
		}
		mustModel(os.Mkdir(m.dir, 0o755))
		mustModel(mirror.Mark(m.dir, cluster))
		w.nodes = append(w.nodes, m)
		m.openSet()
	}
	first := w.nodes[0].set
	mustModel(first.SetRules(t.Context(), authority, 1))
	for _, m := range w.nodes {
		member, err := peer.IDFromPrivateKey(m.key)
		mustModel(err)
		role := trust.RoleWriter
		if m.reader {
			role = trust.RoleReader
		}
		_, _, err = first.Grant(t.Context(), authority, trust.Grant{Member: member, Name: fmt.Sprint("node-", m.number), Role: role})
		mustModel(err)
	}
	for _, m := range w.nodes[1:] {
		w.deliver(w.nodes[0], m, 0)
		m.sync()
	}
	return w
}

// modelKey returns the same key each time.
func modelKey(n int) crypto.PrivKey {
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(n)}, ed25519.SeedSize)))
	mustModel(err)
	return key
}

// openSet opens an empty replica for the node.
func (m *member) openSet() {
	m.life++
	data := filepath.Join(m.w.dir, fmt.Sprintf("data-%d-%d", m.number, m.life))
	mustModel(os.Mkdir(data, 0o700))
	var err error
	m.set, err = crdt.Open(context.Background(), crdt.Options{Dir: data, Cluster: m.w.cluster, Key: m.key, MinFree: 1, FS: vfs.NewMem()})
	mustModel(err)
}

// close ends what is left of the nodes.
func (w *world) close() error {
	var errs []error
	for _, m := range w.nodes {
		for i := range m.places {
			if s := m.places[i].saving; s != nil {
				s.file.Close()
			}
		}
		if m.mirror != nil {
			errs = append(errs, m.mirror.Abandon())
		}
		if m.set != nil {
			errs = append(errs, m.set.Close())
		}
	}
	return errors.Join(errs...)
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

// next returns a number that no text holds yet.
func (w *world) next() int {
	w.count++
	return w.count
}

// stamp returns a time, that of the bubble, which no file has yet.
func (w *world) stamp() time.Time { return time.Now().Add(time.Duration(w.next())) }

// do lets one thing happen to a node.
func (w *world) do(m *member, s step) {
	if m.inTurn {
		w.note("node %d, in moment %d of a pass: %s path %d n %d", m.number, m.moments, s.Op, s.Path, s.N)
	} else {
		w.note("node %d: %s path %d n %d", m.number, s.Op, s.Path, s.N)
	}
	s.Path %= len(modelPaths)
	switch s.Op {
	case opPass:
		m.up()
		m.pass(s)
	case opRest:
		m.rest()
	case opDeliver:
		w.deliver(w.nodes[s.N%len(w.nodes)], m, s.Path)
	case opStop:
		m.stop(false)
	case opKill, opPower:
		if m.inTurn {
			m.dying = &s
			return
		}
		m.crash(s)
	case opDecide:
		m.decide(s.N%2 == 0)
	case opWait:
		<-time.After(waits[s.N%len(waits)])
	case opPut:
		m.put(s.Path, s.N)
	default:
		m.user(s)
	}
}

// elements returns all elements of a node, ancestors first.
func (m *member) elements() [][]byte {
	var elements [][]byte
	mustModel(m.set.Elements(context.Background(), func(element []byte) error {
		elements = append(elements, slices.Clone(element))
		return nil
	}))
	return elements
}

// deliver brings elements of one node to another, the oldest first; most 0 is all.
func (w *world) deliver(from, to *member, most int) (delivered int) {
	for _, element := range from.elements() {
		if to.set.Has(definition.ChangeID(definition.HashOf(element))) {
			continue
		}
		_, err := to.set.AdmitElement(context.Background(), element)
		mustModel(err)
		to.add(written{element: element}, false)
		if delivered++; delivered == most {
			break
		}
	}
	return delivered
}

// ancestry returns versions of a path and all their ancestors of this path.
func (w *world) ancestry(p definition.Path, of []definition.Version) map[definition.Version]bool {
	seen := make(map[definition.Version]bool)
	todo := slices.Clone(of)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v.Path == p && !seen[v] {
			seen[v] = true
			todo = append(todo, w.parents[v]...)
		}
	}
	return seen
}

func (w *world) describe(v definition.Version) string {
	for _, m := range w.nodes {
		if e, err := m.set.Edit(context.Background(), v); err == nil {
			return fmt.Sprintf("%s of %s (deleted %t, %q)", v.Change.Short(), v.Path, e.Deleted, e.Content)
		}
	}
	return v.Change.Short()
}

// maxRounds is how many rounds of deliveries and passes may pass before all is at rest.
const maxRounds = 8

// comeToRest delivers everything, lets the mirrors go on until nothing happens any more,
// and checks what that has led to.
func (w *world) comeToRest() {
	w.note("from here on nobody does anything")
	for _, m := range w.nodes {
		for i := range m.places {
			if s := m.places[i].saving; s != nil {
				s.file.Close()
				m.places[i].saving = nil
			}
		}
	}
	for round := 1; ; round++ {
		if round > maxRounds {
			failModel("there is no rest after %d rounds", maxRounds)
		}
		if !w.round() {
			break
		}
	}
	var errs []error
	for _, m := range w.nodes {
		if got, want := fmt.Sprint(m.set.Heads()), fmt.Sprint(w.nodes[0].set.Heads()); got != want {
			errs = append(errs, fmt.Errorf("node %d has the heads %s, node 0 %s", m.number, got, want))
		}
		if err := m.check(); err != nil {
			errs = append(errs, fmt.Errorf("node %d: %w", m.number, err))
		}
	}
	errs = append(errs, w.checkOracle())
	mustModel(errors.Join(errs...))
}

// round delivers everything and lets every mirror go on until nothing waits. It reports
// whether anything happened.
func (w *world) round() (busy bool) {
	for _, from := range w.nodes {
		for _, to := range w.nodes {
			busy = w.deliver(from, to, 0) > 0 || busy
		}
	}
	for _, m := range w.nodes {
		before := m.appended + m.exported
		m.rest()
		if len(m.mirror.Approvals()) > 0 {
			m.decide(true)
			m.rest()
			busy = true
		}
		busy = busy || m.appended+m.exported != before
	}
	return busy
}

// checkOracle compares the views with what the oracle says.
func (w *world) checkOracle() error {
	answer, err := oracle.Compute(w.nodes[0].elements())
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range w.nodes {
		for p, want := range answer.Files {
			view, content, err := m.set.Read(context.Background(), p)
			mustModel(err)
			if view.Present != want.Present {
				errs = append(errs, fmt.Errorf("node %d: %s is present: %t, the oracle says %t", m.number, p, view.Present, want.Present))
			} else if err := want.Accepts(content); view.Present && err != nil {
				errs = append(errs, fmt.Errorf("node %d: %s is not what the oracle says: %w", m.number, p, err))
			}
			if !slices.Equal(view.Heads, want.Heads) {
				errs = append(errs, fmt.Errorf("node %d: %s has the heads %v, the oracle says %v", m.number, p, view.Heads, want.Heads))
			}
		}
	}
	return errors.Join(errs...)
}
