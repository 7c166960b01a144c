// Package mirror keeps one directory and one replica equal.
//
// Its one flow is a pass of the mirror loop (Mirror.Run), the only goroutine that
// touches the directory:
//
//	events, dirty paths, timers -> which paths to look at
//	look at each path           -> what is on disk now (diskState)
//	plan(diskState, base, view)     -> rest, record, hold, import, export
//	imports of the pass         -> one Replica.Append, with the new bases
//	exports of the pass         -> durable temps, durable intents, renames, bases
//
// The base of a path is what directory and view last had in common: the heads and
// the content hash, or "absent". It is what tells an edit on disk from a change in
// the view, so it must survive a crash exactly; see record.go for how. Everything
// else is memory and is found again by a rescan, which runs the same code as an
// event: a lost event costs time, never data.
//
// Nothing is imported or deleted that could be an accident of the machine: a
// directory without its marker file, a directory that was replaced, emptied or
// restored from a backup (see lossguard.go and dir.ErrNoMarker). Files that cannot be
// mirrored (a link, a broken text, a name that is not portable) are held: left
// alone and reported.
//
// Caveats: a file that is renamed in during the microseconds between the last look and
// our own rename is lost. (A save in place is not: see replaced.go.) A file that returns to
// bytes that it had before waits as long as a deletion does, so undoing an edit takes
// half a second longer than an edit. Empty folders are not mirrored, and folders are
// not removed, except an empty one where a file is to be. Linux and macOS are supported.
package mirror
