package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// modelPaths are few, so that much happens to each. The last is in a folder that cannot
// stand beside the first.
var modelPaths = []definition.Path{path("a.json"), path("b.json"), path("c.yml"), path("d/e.json"), path("a.json/x.json")}

const (
	folderPath = 0 // the one that becomes a folder
	insidePath = 4 // what is in it then
)

// kind is what is at a place.
type kind string

const (
	nothing kind = "nothing"
	text    kind = "text"
	broken  kind = "broken text"
	folder  kind = "a folder"
)

// state is one state of one path in a directory.
type state struct {
	kind    kind
	content string
	// act made it; nil if an export did.
	act *act
	// shown are the heads that the content holds as far as the mirror has surely
	// remembered; seen those that it may have. What a user does next is on top of
	// all of shown and of nothing beyond seen. first is what shown was when the
	// content came.
	shown, seen, first []definition.Version
	// base is the content that directory and view last had in common.
	base definition.Hash
}

func (s state) hash() definition.Hash {
	if s.kind == nothing || s.kind == folder {
		return definition.Hash{}
	}
	return hashOf(s.content)
}

// place is one path in the directory of one node.
type place struct {
	state
	// past are the states since it was last flushed to disk, the present one at the
	// end: any of them a power failure may bring back.
	past []state
	// before is what shown was when the pass began, and what a crash may leave of it.
	before []definition.Version
	// known: directory and view had a file in common here.
	known bool
	// changed: since the pass began.
	changed bool
	// oldest is what the oldest state held that a crash can bring back.
	oldest []definition.Version
	// were are the contents since then.
	were map[definition.Hash]bool
	// maybe are the contents that a power failure may have left: what is equal to one
	// of them counts as left by it, until the mirror has dealt with the path.
	maybe map[definition.Hash]bool
	// matched are the heads of the view that the present pass found equal to it.
	matched []definition.Version
	isMatch bool
	// saving is the file while somebody saves in place.
	saving *saving
	// form is what somebody has read and not saved yet.
	form *openForm
}

// openForm is a text that somebody has read, with the heads that it holds; see state.
type openForm struct {
	content     string
	shown, seen []definition.Version
}

// saving is a file that somebody has opened to save it in place.
type saving struct {
	file *os.File
	on   state
}

func (p *place) become(s state) {
	s.first = s.shown
	p.state, p.changed = s, true
	if p.were == nil {
		p.were = make(map[definition.Hash]bool)
	}
	p.were[s.hash()] = true
	p.past = append(p.past, s)
}

// act is what a user did to one path.
type act struct {
	path    int
	kind    kind
	content string
	fate    fate
	// pass is the pass in which another act took its place, if one did.
	pass int
	// on is the act before it, if nothing else came between.
	on          *act
	shown, seen []definition.Version
	version     definition.Version // once it is imported
}

type fate string

const (
	pending    fate = ""
	imported   fate = "imported"
	superseded fate = "superseded by the same user"
	equal      fate = "equal to the view"
	moot       fate = "not owed" // lost with the machine, or undone on demand
)

// onTop returns what an edit that is this act must, and may, be on top of.
func (a *act) onTop() (shown, seen []definition.Version) {
	for b := a.on; b != nil; b = b.on {
		if b.fate == imported {
			return []definition.Version{b.version}, append([]definition.Version{b.version}, a.seen...)
		}
	}
	return a.shown, a.seen
}

func (a *act) String() string {
	return fmt.Sprintf("%s of %s %q", a.kind, modelPaths[a.path], a.content)
}

// acted notes what a user has just done.
func (m *member) acted(i int, k kind, content string) {
	p := &m.places[i]
	m.endSaving(p)
	m.actedOn(i, p.state, k, content)
}

// endSaving ends a save in place that the user's own doing makes pointless.
func (m *member) endSaving(p *place) {
	if p.saving != nil {
		p.saving.file.Close()
		p.saving = nil
	}
}

func (m *member) actedOn(i int, old state, k kind, content string) {
	if old.kind == nothing && k == nothing {
		return
	}
	a := &act{path: i, kind: k, content: content, on: old.act, shown: old.shown, seen: old.seen}
	switch k {
	case broken:
		a.fate = moot
	case folder: // the file is deleted
		a.kind = nothing
	}
	if old.act != nil && old.act.fate == pending {
		old.act.fate, old.act.pass = superseded, m.passes
	}
	if p := &m.places[i]; p.isMatch {
		old.base, p.isMatch = old.hash(), false
	}
	m.places[i].become(state{kind: k, content: content, act: a, shown: old.shown, seen: old.seen, base: old.base})
	m.acts = append(m.acts, a)
}

// user does one thing to the directory.
func (m *member) user(s step) {
	i := s.Path
	if saved := slices.IndexFunc(m.places, func(p place) bool { return p.saving != nil }); s.Op == opFinish && saved >= 0 {
		i = saved
	}
	if some := slices.IndexFunc(m.places, func(p place) bool { return p.kind == text }); s.Op == opBegin && m.places[i].kind != text && some >= 0 {
		i = some
	}
	p := &m.places[i]
	switch s.Op {
	case opSave:
		if p.kind == folder || !m.reachable(i) {
			return
		}
		m.write(i, m.w.edited(i, p.content, s.N), s.N%4 < 2)
	case opResave:
		if p.kind == text {
			m.endSaving(p)
			m.writeFile(i, p.content, true)
		}
	case opOlder:
		if texts := m.w.texts[i]; p.kind != folder && m.reachable(i) && len(texts) > 0 {
			content := texts[len(texts)-1-s.N%len(texts)]
			if content != p.content {
				m.write(i, content, true)
			}
		}
	case opBreak:
		if p.kind != folder && m.reachable(i) {
			content := fmt.Sprintf("{\"id\": %d, \"a\": [", m.w.next())
			m.writeFile(i, content, false)
			m.acted(i, broken, content)
		}
	case opRemove:
		if p.kind == text || p.kind == broken {
			mustModel(os.Remove(m.file(i)))
			m.acted(i, nothing, "")
		}
	case opRename:
		m.rename(i, s.N%len(modelPaths))
	case opSwap:
		m.swap(i, s.N%len(modelPaths))
	case opFolder:
		m.replaceFolder()
	case opBegin:
		if p.kind == text && p.saving == nil {
			f, err := os.OpenFile(m.file(i), os.O_RDWR, 0)
			mustModel(err)
			p.saving = &saving{f, p.state}
		}
	case opFinish:
		m.finish(i, s.N)
	case opOpen:
		if p.kind == text && (p.act == nil || p.act.fate == imported) {
			p.form = &openForm{p.content, p.shown, p.seen}
		}
	case opForm:
		m.saveForm(i, s.N)
	case opBackup:
		m.backup(i, s.N)
	case opGut:
		for j := range m.places {
			if m.places[j].kind == text && m.reachable(j) {
				m.write(j, fmt.Sprintf("{\"x\": %d}\n", m.w.next()), true)
			}
		}
	case opMarker:
		if err := os.Remove(filepath.Join(m.dir, ".starling")); !os.IsNotExist(err) {
			mustModel(err)
		}
	}
}

// saveForm saves a form that was opened before an export: with another field than the export has
// changed, or it would be no other than an edit of what the file holds now.
func (m *member) saveForm(i, n int) {
	p := &m.places[i]
	f := p.form
	r, ok := m.record(i, m.records)
	if f == nil || !ok || p.kind != text || p.act != nil && p.act.fate == pending || p.content == f.content || p.hash() != r.Base().Hash() ||
		!slices.ContainsFunc(r.Outdated(), func(b mirror.Base) bool { return b.Hash() == hashOf(f.content) }) {
		return
	}
	opened, err := fieldsOf(i, f.content)
	now, err2 := fieldsOf(i, p.content)
	if err != nil || err2 != nil || opened[0] != now[0] {
		return
	}
	edited := 1 + n%2
	switch {
	case opened[1] == now[1]:
		edited = 1
	case opened[2] == now[2]:
		edited = 2
	}
	saved := opened
	saved[edited] = m.w.next()
	content := textOf(i, saved)
	m.w.texts[i] = append(m.w.texts[i], content)
	m.writeFile(i, content, n%4 < 2)
	m.endSaving(p)
	old := p.state
	old.act, old.shown, old.seen = nil, f.shown, f.seen
	m.actedOn(i, old, text, content)
	p.form = nil
}

// backup brings back a text that this file had, with the modification time of long ago.
func (m *member) backup(i, n int) {
	p := &m.places[i]
	texts := m.w.texts[i]
	if p.kind == folder || !m.reachable(i) || len(texts) == 0 {
		return
	}
	content := texts[len(texts)-1-n%len(texts)]
	if content == p.content {
		return
	}
	m.write(i, content, true)
	at := time.Now().Add(-time.Hour).Add(time.Duration(m.w.next()))
	mustModel(os.Chtimes(m.file(i), at, at))
}

// reachable reports whether the path's folder is one, or can be made.
func (m *member) reachable(i int) bool {
	return i != insidePath || m.places[folderPath].kind == folder
}

func (m *member) file(i int) string { return filepath.Join(m.dir, modelPaths[i].String()) }

// inode returns the inode of the file at a path, 0 if there is none.
func (m *member) inode(i int) uint64 {
	var s syscall.Stat_t
	if err := syscall.Lstat(m.file(i), &s); err != nil {
		return 0
	}
	return s.Ino
}

// write saves a text.
func (m *member) write(i int, content string, byRename bool) {
	m.writeFile(i, content, byRename)
	m.acted(i, text, content)
}

func (m *member) writeFile(i int, content string, byRename bool) {
	name := m.file(i)
	mustModel(os.MkdirAll(filepath.Dir(name), 0o755))
	target := name
	if byRename {
		target = filepath.Join(filepath.Dir(name), ".saved")
	}
	mustModel(os.WriteFile(target, []byte(content), 0o640))
	m.touch(target)
	if byRename {
		mustModel(os.Rename(target, name))
	}
}

// touch gives a file the time of the bubble, and one that no other file has.
func (m *member) touch(name string) {
	at := m.w.stamp()
	mustModel(os.Chtimes(name, at, at))
}

func (m *member) rename(i, j int) {
	from, to := &m.places[i], &m.places[j]
	if i == j || from.kind != text || to.kind == folder || !m.reachable(j) {
		return
	}
	content := from.content
	mustModel(os.MkdirAll(filepath.Dir(m.file(j)), 0o755))
	mustModel(os.Rename(m.file(i), m.file(j)))
	m.acted(i, nothing, "")
	m.acted(j, text, content)
}

func (m *member) swap(i, j int) {
	if i == j || m.places[i].kind != text || m.places[j].kind != text {
		return
	}
	one, other := m.places[i].content, m.places[j].content
	between := filepath.Join(m.dir, ".swap")
	mustModel(os.Rename(m.file(i), between))
	mustModel(os.Rename(m.file(j), m.file(i)))
	mustModel(os.Rename(between, m.file(j)))
	if one != other {
		m.acted(i, text, other)
		m.acted(j, text, one)
	}
}

// replaceFolder puts a folder in a file's place, or takes it away.
func (m *member) replaceFolder() {
	name := m.file(folderPath)
	if m.places[folderPath].kind == folder {
		mustModel(os.RemoveAll(name))
		m.acted(insidePath, nothing, "")
		m.acted(folderPath, nothing, "")
		return
	}
	if err := os.Remove(name); !os.IsNotExist(err) {
		mustModel(err)
	}
	mustModel(os.Mkdir(name, 0o755))
	m.acted(folderPath, folder, "")
	m.write(insidePath, m.w.edited(insidePath, "", 0), true)
}

// finish writes what was begun: to the file, or, if an export has replaced it, to what
// nobody sees any more but the mirror.
func (m *member) finish(i, n int) {
	p := &m.places[i]
	s := p.saving
	if s == nil {
		return
	}
	p.saving = nil
	defer s.file.Close()
	content := m.w.edited(i, s.on.content, n)
	mustModel(s.file.Truncate(0))
	_, err := s.file.WriteAt([]byte(content), 0)
	mustModel(err)
	if m.isAt(s.file, i) {
		m.touch(m.file(i))
		m.acted(i, text, content)
		return
	}
	m.acts = append(m.acts, &act{path: i, kind: text, content: content, on: s.on.act, shown: s.on.shown, seen: s.on.seen})
	m.behind = append(m.behind, m.acts[len(m.acts)-1])
}

// isAt reports whether an open file is the one at its path.
func (m *member) isAt(f *os.File, i int) bool {
	opened, err := f.Stat()
	mustModel(err)
	info, err := os.Lstat(m.file(i))
	return err == nil && os.SameFile(opened, info)
}

// edited is a text with one field of it changed, to what no text had before.
func (w *world) edited(i int, old string, n int) string {
	fields, err := fieldsOf(i, old)
	if err != nil {
		fields[0] = i + 1
	}
	fields[1+n%2] = w.next()
	content := textOf(i, fields)
	w.texts[i] = append(w.texts[i], content)
	return content
}

// layoutOf is how the three fields of a text are written: id, a, b.
func layoutOf(i int) string {
	if modelPaths[i].Ext() == ".yml" {
		return "id: %d\na: %d\nb: %d\n"
	}
	return "{\"id\": %d, \"a\": %d, \"b\": %d}\n"
}

func textOf(i int, f [3]int) string { return fmt.Sprintf(layoutOf(i), f[0], f[1], f[2]) }

func fieldsOf(i int, content string) (f [3]int, err error) {
	flat := func(s string) string { return strings.ReplaceAll(s, "\n", " ") }
	_, err = fmt.Sscanf(flat(content), flat(layoutOf(i)), &f[0], &f[1], &f[2])
	return f, err
}

// editOf reports whether a text is an edit of an older one, and not of the newer one that had
// replaced it: no field that differs has the newer value, and one has the older. Against a
// deletion two of the three fields must be there still.
func editOf(i int, older, newer, saved string) bool {
	o, err := fieldsOf(i, older)
	s, err2 := fieldsOf(i, saved)
	if err != nil && err2 != nil { // both are something else, and only that both share can tell
		return true
	}
	if err != nil || err2 != nil || o == s {
		return false
	}
	back, kept := 0, 0
	if newer == "" {
		for k := range o {
			if o[k] == s[k] {
				back++
			}
		}
		return back >= 2
	}
	n, err := fieldsOf(i, newer)
	if err != nil { // something else: all of it was changed
		return true
	}
	for k := range o {
		switch {
		case o[k] == n[k]:
		case s[k] == o[k]:
			back++
		case s[k] == n[k]:
			kept++
		}
	}
	return back > 0 && kept == 0
}
