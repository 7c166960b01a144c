package mirror

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// mounts are the folders of the directory that are file systems of their own. When one is
// unmounted its files seem to be deleted, and so they do when another is mounted over a
// folder. So whatever happens to what is mounted at a folder, the folder is apart until no
// file that was in it is missing: then what is mounted there now is right. While it is apart
//
//   - no file in it that is missing is a deletion: the guard holds all of them, until they are
//     there again or somebody approves it;
//   - nothing is written into it: it would be hidden by what is mounted next;
//   - what is edited in it is taken in, and everything beside it goes on.
//
// Which folders were mounted is durable. That one is the same file system as before a
// restart is not to be told (numbers of devices change), so each is apart at first.
type mounts struct {
	replica Replica
	ledger  *ledger
	holds   *holds
	dir     *dir.Directory
	table   *dir.MountTable

	known map[string]bool      // the folders at which something was mounted when all was well
	now   map[string]dir.Mount // what was mounted at the last look at everything
	apart map[string]bool      // to whether it is known that files are missing
}

const mountPrefix = "mount/" // + folder

// load reads what an earlier run knew.
func (mt *mounts) load(ctx context.Context) error {
	mt.known, mt.apart = make(map[string]bool), make(map[string]bool)
	records, err := mt.replica.LoadRecords(ctx, mountPrefix)
	if err != nil {
		return fmt.Errorf("load folders that are mounted: %w", err)
	}
	for key := range records {
		mt.known[strings.TrimPrefix(key, mountPrefix)] = true
	}
	return nil
}

// changed reports whether something else is mounted now at one of the folders that are
// watched, or nothing any more. For a folder that is new no look at everything may have come.
func (mt *mounts) changed(w *dir.Watch) bool {
	if w.Replaced(mt.dir) {
		return true
	}
	folders := w.Folders()
	for folder := range mt.now {
		folders = append(folders, folder)
	}
	for _, folder := range folders {
		info, err := mt.dir.Lstat(folder)
		if err != nil {
			return true
		}
		above := mt.dir.Device()
		if parent, err := mt.dir.Lstat(path.Dir(folder)); err == nil {
			above = dir.StatOf(parent).Dev
		}
		now, is := mt.dir.MountAt(folder, info, above)
		if was, had := mt.now[folder]; is != had || is && now != was {
			return true
		}
	}
	return false
}

// update takes what is mounted, as a look at everything has found it.
func (mt *mounts) update(b *batch, now map[string]dir.Mount) {
	folders := maps.Clone(mt.known)
	for folder := range now {
		folders[folder] = true
	}
	for folder := range folders {
		mount, is := now[folder]
		was, had := mt.now[folder]
		switch {
		case mt.known[folder] && is && had && was == mount:
		case mt.has(folder):
			if _, ok := mt.apart[folder]; !ok {
				mt.apart[folder] = false
			}
		default: // there is nothing in it that could be missing
			mt.accept(b, folder, is)
		}
	}
	mt.now = now
}

// has reports whether files were in a folder.
func (mt *mounts) has(folder string) bool {
	for range mt.files(folder) {
		return true
	}
	return false
}

// files yields the files that were in a folder.
func (mt *mounts) files(folder string) func(yield func(definition.Path, *entry) bool) {
	return func(yield func(definition.Path, *entry) bool) {
		if mt.ledger.below[folder] == 0 {
			return
		}
		for p, e := range mt.ledger.entries {
			if e.base.hash != (definition.Hash{}) && strings.HasPrefix(p.String(), folder+"/") && !yield(p, e) {
				return
			}
		}
	}
}

// accept makes what is mounted at a folder, or that nothing is, what is right.
func (mt *mounts) accept(b *batch, folder string, is bool) {
	delete(mt.apart, folder)
	if is == mt.known[folder] {
		return
	}
	if is {
		mt.known[folder], b.records[mountPrefix+folder] = true, []byte{1}
	} else {
		delete(mt.known, folder)
		b.records[mountPrefix+folder] = nil
	}
}

// above returns the folder above a path that is apart, if one is, and whether it is known that
// files are missing in it.
func (mt *mounts) above(p definition.Path) (folder string, missing, ok bool) {
	if len(mt.apart) == 0 {
		return "", false, false
	}
	for folder := range foldersAbove(p.String()) {
		if missing, ok := mt.apart[folder]; ok {
			return folder, missing, true
		}
	}
	return "", false, false
}

// settle ends a pass: a folder of which no file is missing is not apart any longer. It calls
// again for each file in it, which may have waited for that. It reports whether files are
// missing in a folder of which that was not known.
func (mt *mounts) settle(b *batch, again func(definition.Path)) (news bool) {
	for folder := range mt.apart {
		var missing []definition.Path
		looked := true
		for p, e := range mt.files(folder) {
			looked = looked && (!e.fresh || e.seen.kind == unreadable)
			if e.seen.kind == absent {
				missing = append(missing, p)
			}
		}
		_, is := mt.now[folder]
		switch {
		case !looked:
		case len(missing) > 0:
			news = news || !mt.apart[folder]
			mt.apart[folder] = true
			mt.holds.hold(folder, apartReason(missing, is))
		default:
			mt.accept(b, folder, is)
			mt.holds.release(folder)
			for p := range mt.ledger.entries {
				if strings.HasPrefix(p.String(), folder+"/") {
					again(p)
				}
			}
		}
	}
	return news
}

// apartReason says why a folder is held.
func apartReason(missing []definition.Path, mounted bool) string {
	first := slices.MinFunc(missing, definition.Path.Compare)
	files := fmt.Sprintf("%d of its files are missing, the first is %s", len(missing), first)
	if len(missing) == 1 {
		files = fmt.Sprintf("its file %s is missing", first)
	}
	if mounted {
		return "another file system may be mounted there: " + files + ": mount the right one, or approve the deletion"
	}
	return "its file system is gone: " + files + ": mount it again, or approve the deletion"
}
