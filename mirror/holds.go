package mirror

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// HeldFile is a file that is left alone until somebody acts.
type HeldFile struct {
	// Path is the file's name relative to the directory. It is no definition.Path
	// because the name itself may be the reason.
	Path   string
	Reason string
	// Do says what ends it, if that is nothing that is done to the file: the work on it
	// failed and is tried again.
	Do    string
	Since time.Time
}

// holds are the files that are left alone, by name.
type holds struct {
	log   *slog.Logger
	files map[string]HeldFile
	// changed: since the last list.
	changed bool
}

func newHolds(log *slog.Logger) *holds {
	return &holds{log: log, files: make(map[string]HeldFile)}
}

// hold leaves a file alone and reports why.
func (h *holds) hold(name, reason string) { h.holdUntil(name, reason, "") }

// holdUntil is hold for a file to which nothing must be done; do says what else.
func (h *holds) holdUntil(name, reason, do string) {
	if h.noteUntil(name, reason, do) {
		h.log.Warn("file is held", "path", name, "reason", reason)
	}
}

// note is hold for a file of many, of which one line in the log says all.
func (h *holds) note(name, reason string) { h.noteUntil(name, reason, "") }

// noteUntil is holdUntil without a line in the log. It reports whether this is new.
func (h *holds) noteUntil(name, reason, do string) bool {
	was, ok := h.files[name]
	if ok && was.Reason == reason {
		return false
	}
	since := time.Now()
	if ok {
		since = was.Since
	}
	h.changed = true
	h.files[name] = HeldFile{Path: name, Reason: reason, Do: do, Since: since}
	return true
}

// release ends what hold began.
func (h *holds) release(name string) {
	if _, ok := h.files[name]; ok {
		delete(h.files, name)
		h.changed = true
		h.log.Info("file is no longer held", "path", name)
	}
}

// reason says why a file is held; it is empty if it is not.
func (h *holds) reason(name string) string { return h.files[name].Reason }

// list returns the files in order of path.
func (h *holds) list() []HeldFile {
	return slices.SortedFunc(maps.Values(h.files), func(a, b HeldFile) int { return strings.Compare(a.Path, b.Path) })
}
