// Package mirror keeps one directory and one replica equal.
//
// Its one flow is a pass of the mirror loop (Mirror.Run), the only goroutine that
// touches the directory (package internal/dir). A pass is a pipeline, one file for each
// phase; what a phase finds is what the next one works on:
//
//	scan       events, dirty paths, timers -> which paths to look at
//	reconcile  look at each: what is on disk now (diskState);
//	           plan(disk, base, view)      -> noop, record, hold, import, export
//	import     all imports                 -> one Replica.Append, with the new bases
//	export     all exports                 -> durable temps, durable intents, renames
//	record     settle(path, outcome)       -> bases, guard, holds, retries; save
//
// A deletion, and a file that returns to earlier bytes, goes through the lossGuard on its
// way from reconcile to import.
//
// The base of a path is what directory and view last had in common: the heads and
// the content hash, or "absent". It is what tells an edit on disk from a change in
// the view, so it must survive a crash exactly; see base.go for how. Everything
// else is memory and is found again by a rescan, which runs the same code as an
// event: a lost event costs time, never data.
//
// Nothing is imported or deleted that could be an accident of the machine: a
// directory without its marker file, a directory that was replaced, emptied or
// restored from a backup (see lossguard.go and internal/dir/marker.go). Files that cannot be
// mirrored (a link, a broken text, a name that is not portable) are held: left
// alone and reported.
//
// Caveats: a file that is renamed in during the microseconds between the last look and
// our own rename is lost. (A save in place is not: see replaced.go.) A file that returns to
// bytes that it had before waits as long as a deletion does, so undoing an edit takes
// half a second longer than an edit. Empty folders are not mirrored, and folders are
// not removed, except an empty one where a file is to be. Linux and macOS are supported.
package mirror
