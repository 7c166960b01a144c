package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/definition/lint"
)

// Findings is what lint finds in the definitions that the directory should hold.
type Findings struct {
	Errors, Warnings, Notes int
	FilesWithErrors         int
	// Pending is how many paths changed and are not counted here yet.
	Pending int
	// Listed are the findings themselves, but for notes: errors first, at most
	// maxListedFindings.
	Listed []lint.Finding
}

// maxListedFindings is how many findings Status lists.
const maxListedFindings = 50

// findings keeps what lint finds in what is present. It looks at a definition again only when
// its view may have changed, in the background, so that nothing waits for it.
type findings struct {
	replica *crdt.Replica
	dirty   *crdt.Dirty

	looking sync.Mutex // held by who looks at definitions; taken before mu

	mu      sync.Mutex // of what follows; never held while the disk is read
	files   map[definition.Path]linted
	total   Findings // of all files, when they were last all looked at
	pending int      // paths that were taken and are not in total yet
}

// linted is what was found in one definition.
type linted struct {
	hash   definition.Hash
	report lint.Report // without notes
	notes  int
}

func newFindings(r *crdt.Replica) *findings {
	return &findings{replica: r, dirty: r.Dirty(), files: make(map[definition.Path]linted)}
}

// refresh looks at the definitions whose view may have changed.
func (f *findings) refresh(ctx context.Context) error {
	f.looking.Lock()
	defer f.looking.Unlock()
	f.mu.Lock()
	paths := f.dirty.Take()
	f.pending = len(paths)
	f.mu.Unlock()
	if len(paths) == 0 {
		return nil
	}
	for i, p := range paths {
		found, present, err := f.look(ctx, p)
		f.mu.Lock()
		switch {
		case err != nil:
			f.dirty.Add(paths[i:])
			f.pending = 0
		case present:
			f.files[p] = found
		default:
			delete(f.files, p)
		}
		f.mu.Unlock()
		if err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reports := make([]lint.Report, 0, len(f.files))
	for _, file := range f.files {
		reports = append(reports, file.report)
	}
	f.total = f.count(lint.Duplicates(reports))
	f.pending = 0
	return nil
}

// look looks at one definition. It reports false if there is none.
func (f *findings) look(ctx context.Context, p definition.Path) (found linted, present bool, err error) {
	if err := ctx.Err(); err != nil {
		return linted{}, false, err
	}
	view := f.replica.View(p)
	if !view.Present || view.Withheld != "" {
		return linted{}, false, nil
	}
	f.mu.Lock()
	found, known := f.files[p]
	f.mu.Unlock()
	if known && found.hash == view.Hash {
		return found, true, nil
	}
	view, content, err := f.replica.Read(ctx, p)
	if err != nil || !view.Present { // it changed meanwhile, and is dirty again
		return linted{}, false, err
	}
	found = linted{hash: view.Hash, report: lint.Check(p, content)}
	found.report.Findings = slices.DeleteFunc(found.report.Findings, func(finding lint.Finding) bool {
		if finding.Severity == lint.Note {
			found.notes++
		}
		return finding.Severity == lint.Note
	})
	found.report.Findings = slices.Clip(found.report.Findings)
	return found, true, nil
}

// count counts what was found in the files, and the findings about ids that come twice. The
// caller holds mu.
func (f *findings) count(twice []lint.Finding) Findings {
	var total Findings
	withErrors := make(map[string]struct{})
	add := func(found []lint.Finding) {
		for _, finding := range found {
			total.Listed = append(total.Listed, finding)
			if finding.Severity == lint.Error {
				total.Errors++
				withErrors[finding.Path] = struct{}{}
			} else {
				total.Warnings++
			}
		}
	}
	for _, file := range f.files {
		add(file.report.Findings)
		total.Notes += file.notes
	}
	add(twice)
	total.FilesWithErrors = len(withErrors)
	lint.Sort(total.Listed)
	slices.SortStableFunc(total.Listed, func(a, b lint.Finding) int { return int(b.Severity) - int(a.Severity) })
	total.Listed = slices.Clone(total.Listed[:min(len(total.Listed), maxListedFindings)])
	return total
}

// now returns what was found last, and how much changed since. Listed is to be read only.
func (f *findings) now() Findings {
	f.mu.Lock()
	defer f.mu.Unlock()
	total := f.total
	total.Pending = f.pending + f.dirty.Len()
	return total
}

// followFindings looks at definitions as they change, until ctx ends.
func (n *Node) followFindings(ctx context.Context) {
	select {
	case <-n.mirror.Ready():
	case <-time.After(firstSyncTime):
	case <-ctx.Done():
		return
	}
	for {
		select {
		case <-n.findings.dirty.Wake():
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(settleTime): // a burst of changes is looked at once
		case <-ctx.Done():
			return
		}
		if err := n.findings.refresh(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("cannot look for what is wrong in definitions", "err", err)
		}
	}
}

// Review looks at edits before they are made, as if they were. The error wraps ErrRefused
// and names the first finding if there is one that is an error.
func (n *Node) Review(ctx context.Context, edits []definition.Edit) error {
	if err := n.findings.refresh(ctx); err != nil {
		return fmt.Errorf("review: %w", err)
	}
	var reports []lint.Report
	edited := make(map[definition.Path]struct{}, len(edits))
	names := make(map[string]struct{}, len(edits))
	for _, e := range edits {
		edited[e.Path] = struct{}{}
		names[e.Path.String()] = struct{}{}
		if !e.Deleted {
			reports = append(reports, lint.Check(e.Path, e.Content))
		}
	}
	var found []lint.Finding
	for _, r := range reports {
		found = append(found, r.Findings...)
	}
	n.findings.mu.Lock()
	for p, file := range n.findings.files {
		if _, ok := edited[p]; !ok {
			reports = append(reports, file.report)
		}
	}
	n.findings.mu.Unlock()
	for _, finding := range lint.Duplicates(reports) {
		if _, ok := names[finding.Path]; ok {
			found = append(found, finding)
		}
	}
	found = slices.DeleteFunc(found, func(finding lint.Finding) bool { return finding.Severity < lint.Error })
	if len(found) == 0 {
		return nil
	}
	lint.Sort(found)
	texts := make([]string, 0, len(found))
	for _, f := range found[:min(len(found), 3)] {
		texts = append(texts, fmt.Sprintf("%s:%d:%d: %s (%s)", f.Path, f.Line, f.Column, f.Message, f.Rule))
	}
	if more := len(found) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return fmt.Errorf("%w: %s", ErrRefused, strings.Join(texts, "; "))
}
