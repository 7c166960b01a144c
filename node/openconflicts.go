package node

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// openConflicts is what is in conflict on this node now. It looks at a path again only
// when its view may have changed, so to ask it costs little.
type openConflicts struct {
	replica *crdt.Replica
	dirty   *crdt.Dirty

	mu    sync.Mutex
	files map[definition.Path]knownFile // those that have an id or conflicts
	twice [][]definition.Path           // the groups that hold the same id
	stale bool                          // twice is to be found anew
	// said are the keys of the conflicts that were logged, and are still open.
	said map[string]struct{}
}

// knownFile is what is known of one path.
type knownFile struct {
	hash      definition.Hash // of the bytes that the id is in
	id        string          // empty if there is none
	conflicts []definition.Conflict
}

const (
	// saidPrefix begins the key of this node's record that a conflict was logged.
	saidPrefix = "conflict/"
	// saidAtOnce is how many conflicts are logged each by itself if many open at once.
	saidAtOnce = 20
	// settleTime is how long after a change the conflicts are looked at for the log.
	settleTime = time.Second
	// lastLookTime is how long that may hold up the end of the node.
	lastLookTime = time.Second
	// firstSyncTime is how long the first sync has disk and processors to itself.
	firstSyncTime = 10 * time.Second
)

func openConflictsOf(ctx context.Context, r *crdt.Replica) (*openConflicts, error) {
	records, err := r.LoadRecords(ctx, saidPrefix)
	if err != nil {
		return nil, fmt.Errorf("load which conflicts were logged: %w", err)
	}
	o := &openConflicts{
		replica: r, dirty: r.Dirty(),
		files: make(map[definition.Path]knownFile),
		said:  make(map[string]struct{}, len(records)),
	}
	for key := range records {
		o.said[key] = struct{}{}
	}
	return o, nil
}

// paths returns the paths that have conflicts, in order.
func (o *openConflicts) paths(ctx context.Context) ([]definition.Path, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refresh(ctx); err != nil {
		return nil, err
	}
	var paths []definition.Path
	now := time.Now()
	for p, known := range o.files {
		if len(stillListed(o.replica, known.conflicts, now)) > 0 {
			paths = append(paths, p)
		}
	}
	slices.SortFunc(paths, definition.Path.Compare)
	return paths, nil
}

// returned counts the saves that took a file back and are listed.
func (o *openConflicts) returned(ctx context.Context) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refresh(ctx); err != nil {
		return 0, err
	}
	count, now := 0, time.Now()
	for _, known := range o.files {
		for _, c := range stillListed(o.replica, known.conflicts, now) {
			if c.Kind == definition.ConflictReverted {
				count++
			}
		}
	}
	return count, nil
}

// duplicateIDs returns the groups of present definitions that hold the same id. It
// reads those that changed since it was last asked.
func (o *openConflicts) duplicateIDs(ctx context.Context) ([][]definition.Path, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.refresh(ctx)
	return o.twice, err
}

// twinsOf returns the definitions that hold the same id as p's, itself among them; nil
// if there is no other.
func (o *openConflicts) twinsOf(ctx context.Context, p definition.Path) ([]definition.Path, error) {
	groups, err := o.duplicateIDs(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(groups, func(group []definition.Path) bool { return slices.Contains(group, p) }); i >= 0 {
		return groups[i], nil
	}
	return nil, nil
}

// refresh looks at the paths whose view may have changed. The caller holds the lock.
func (o *openConflicts) refresh(ctx context.Context) error {
	paths := o.dirty.Take()
	for i, p := range paths {
		known, err := o.look(ctx, p)
		if err != nil {
			o.dirty.Add(paths[i:])
			return err
		}
		o.stale = o.stale || known.id != o.files[p].id
		if known.id == "" && len(known.conflicts) == 0 {
			delete(o.files, p)
		} else {
			o.files[p] = known
		}
	}
	if o.stale {
		ids := make(map[definition.Path]string, len(o.files))
		for p, known := range o.files {
			if known.id != "" {
				ids[p] = known.id
			}
		}
		o.twice, o.stale = definition.DuplicateIDs(ids), false
	}
	return nil
}

// look says what is to be known of one path.
func (o *openConflicts) look(ctx context.Context, p definition.Path) (knownFile, error) {
	view := o.replica.View(p)
	known := knownFile{conflicts: view.Conflicts}
	if !view.Present || view.Withheld != "" {
		return known, ctx.Err()
	}
	if before := o.files[p]; before.hash == view.Hash {
		known.hash, known.id = before.hash, before.id
		return known, ctx.Err()
	}
	view, content, err := o.replica.Read(ctx, p)
	if err != nil || !view.Present { // it changed meanwhile, and is dirty again
		return known, err
	}
	known.hash = view.Hash
	if doc, err := definition.Parse(p, content); err == nil { // what does not parse has no id, for CAS neither
		known.id, _ = doc.Service().ID()
	}
	return known, nil
}

// followConflicts logs each conflict once when it opens, until ctx ends: what opened
// just before that is still logged.
func (n *Node) followConflicts(ctx context.Context) {
	select {
	case <-n.mirror.Ready():
	case <-time.After(firstSyncTime):
	case <-ctx.Done():
		return
	}
	for ended := false; !ended; {
		select {
		case <-n.conflicts.dirty.Wake():
			select {
			case <-time.After(settleTime): // a burst of changes is looked at once
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
		ended = ctx.Err() != nil
		n.logConflicts(ctx)
	}
}

// logConflicts logs the conflicts that are new. If the node stops that is its last look,
// and a short one.
func (n *Node) logConflicts(ctx context.Context) {
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLookTime)
		defer cancel()
		ctx = last
	}
	if err := n.conflicts.report(ctx, n.log); err != nil && ctx.Err() == nil {
		n.log.Error("cannot look for conflicts", "err", err)
	}
}

// report logs the open conflicts that this node has not logged yet.
func (o *openConflicts) report(ctx context.Context, log *slog.Logger) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refresh(ctx); err != nil {
		return err
	}
	open := o.lines()
	records := make(map[string][]byte)
	for key := range o.said {
		if _, ok := open[key]; !ok {
			records[key] = nil // if it opens again it is logged again
			delete(o.said, key)
		}
	}
	said := 0
	for _, key := range slices.Sorted(maps.Keys(open)) {
		if _, ok := o.said[key]; ok {
			continue
		}
		if said++; said <= saidAtOnce {
			log.Warn("a conflict is open", open[key]...)
		}
		o.said[key] = struct{}{}
		records[key] = []byte{1}
	}
	if said > saidAtOnce {
		log.Warn("more conflicts are open", "more", said-saidAtOnce)
	}
	if len(records) == 0 {
		return nil
	}
	return o.replica.SaveRecords(ctx, records, false)
}

// lines returns what the log says of each open conflict, by the key of its record.
func (o *openConflicts) lines() map[string][]any {
	lines, now := make(map[string][]any), time.Now()
	for p, known := range o.files {
		for _, c := range stillListed(o.replica, known.conflicts, now) {
			what := fmt.Sprint(c.Kind, " ", p, " ", c.Lost)
			if c.Kind == definition.ConflictPath {
				what = fmt.Sprint(c.Kind, " ", p) // it is the same as long as the two are there
			}
			lines[saidKey(what)] = []any{"path", p.String(), "kind", string(c.Kind), "lost", c.Lost.Change.String(), "stands", c.Stands.Change.String()}
		}
	}
	for _, group := range o.twice {
		lines[saidKey(fmt.Sprint(ConflictDuplicateID, group))] = []any{"path", group[0].String(), "kind", string(ConflictDuplicateID), "paths", fmt.Sprint(group)}
	}
	return lines
}

func saidKey(what string) string { return saidPrefix + definition.HashOf([]byte(what)).String() }
