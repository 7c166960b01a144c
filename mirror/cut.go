package mirror

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// cutFiles are the files that their writers seem to have left in the middle, because they
// were killed, lost their connection or filled the disk. What is left of a YAML file can
// parse, and then lacks what comes at its end, which may be what decides access. Such a
// file is held until it is otherwise, or is saved once more as it is.
//
// The system tells that a file was closed, but not whether its writer was done. So a file
// is taken for cut off only if both is so:
//
//   - it was written under its own name, slowly (see slowWriter), or it ends in the middle
//     of a line where the cluster's version does not. What is renamed into its place is
//     whole, and a program that has all of the text at hand writes it at once;
//   - it is the beginning of the cluster's version, or has all that this has but for the
//     end. A new file has no version to be compared with: it must end in the middle of a
//     line, or with a key without a value.
//
// So a member that somebody removes is no cut, unless it is the last, by a writer that is
// slow too. What cannot be told: a new file that is cut off between two lines, and a cut
// that a quick writer leaves between two lines of a file that was there. What has a
// closing brace is never cut off, for its beginning does not parse.
type cutFiles struct {
	replica Replica
	files   map[definition.Path]cutFile
}

// cutFile is such a file as it was when it was held. It is durable, or a restart would
// publish it.
type cutFile struct {
	Hash  string `json:"hash"`
	Inode uint64 `json:"inode"`
	Mtime int64  `json:"mtime"`
	Lacks string `json:"lacks"`
}

const cutPrefix = "cut/" // + path

// load reads what is held since an earlier run.
func (c *cutFiles) load(ctx context.Context) error {
	records, err := c.replica.LoadRecords(ctx, cutPrefix)
	if err != nil {
		return fmt.Errorf("load files that are cut off: %w", err)
	}
	for key, value := range records {
		var f cutFile
		p, err := definition.ParsePath(strings.TrimPrefix(key, cutPrefix))
		if err == nil {
			err = json.Unmarshal(value, &f)
		}
		if err != nil {
			return fmt.Errorf("load files that are cut off: %w", err)
		}
		c.files[p] = f
	}
	return nil
}

// drop no longer holds a file.
func (c *cutFiles) drop(b *batch, p definition.Path) {
	if _, ok := c.files[p]; ok {
		delete(c.files, p)
		b.records[cutPrefix+p.String()] = nil
	}
}

// judge returns why the file of an import is held as one that is cut off; it is empty if
// it is not.
func (c *cutFiles) judge(ctx context.Context, b *batch, f finding) string {
	if was, ok := c.files[f.path]; ok && was.Hash == hex.EncodeToString(f.seen.hash[:]) {
		if was.Inode == f.stat.Ino && was.Mtime == f.stat.Mtime {
			return was.reason()
		}
		c.drop(b, f.path) // it was saved once more as it is: it is meant
		return ""
	}
	c.drop(b, f.path)
	lacks := c.lacks(ctx, f)
	if lacks == "" {
		return ""
	}
	cut := cutFile{Hash: hex.EncodeToString(f.seen.hash[:]), Inode: f.stat.Ino, Mtime: f.stat.Mtime, Lacks: lacks}
	value, err := json.Marshal(cut)
	if err != nil {
		panic(err) // of strings and numbers
	}
	c.files[f.path] = cut
	b.records[cutPrefix+f.path.String()], b.sync = value, true
	return cut.reason()
}

// lacks says what a file lacks that seems to be cut off; it is empty if it does not.
func (c *cutFiles) lacks(ctx context.Context, f finding) string {
	openEnd := !bytes.HasSuffix(f.content, []byte("\n"))
	if !f.saved.slow && (!f.saved.inPlace || !openEnd) {
		return ""
	}
	doc, err := definition.Parse(f.path, f.content)
	if err != nil || doc.Complete() {
		return ""
	}
	view, old, err := c.replica.Read(ctx, f.path)
	if err != nil || !view.Present {
		switch {
		case !f.saved.slow:
			return ""
		case openEnd:
			return "the end of its last line"
		case endsInKey(doc.Root()):
			return "the value of its last key"
		}
		return ""
	}
	if !f.saved.slow && !bytes.HasSuffix(old, []byte("\n")) {
		return ""
	}
	if text := bytes.TrimRight(f.content, " \t\r\n"); bytes.HasPrefix(old, text) && len(text) < len(bytes.TrimRight(old, " \t\r\n")) {
		return "the end of what the cluster has"
	}
	whole, err := definition.Parse(f.path, old)
	if err != nil {
		return ""
	}
	if at, ok := cutAt(whole.Root(), doc.Root(), ""); ok {
		return at + ", which the cluster's version has at its end"
	}
	return ""
}

// reason says why the file is held and what to do.
func (f cutFile) reason() string {
	return "it seems to be cut off, for its writer was slow or was stopped, and it lacks " + f.Lacks +
		": complete it, or, if it is meant to be so, save it once more as it is (touch)"
}

// cutAt reports whether a value is the beginning of another: all that it lacks comes after
// all that it has. It returns where the first thing is that it lacks.
func cutAt(whole, part definition.Value, at string) (string, bool) {
	switch {
	case whole.Kind == definition.Object && part.Kind == definition.Object:
		return cutObject(whole, part, at)
	case whole.Kind == definition.Array && part.Kind == definition.Array:
		n := len(part.Items)
		if n < len(whole.Items) {
			return fmt.Sprintf("%s/%d", at, n), true
		}
		if n == 0 || n > len(whole.Items) {
			return "", false
		}
		return cutAt(whole.Items[n-1], part.Items[n-1], fmt.Sprintf("%s/%d", at, n-1))
	case part.Kind == definition.Null && whole.Kind != definition.Null:
		return at, true // a key, and nothing behind it yet
	case isScalar(whole) && isScalar(part): // part of false is a text
		return at, len(part.Text) < len(whole.Text) && strings.HasPrefix(whole.Text, part.Text)
	}
	return "", false
}

func isScalar(v definition.Value) bool {
	return v.Kind != definition.Object && v.Kind != definition.Array
}

// cutObject is cutAt for two objects.
func cutObject(whole, part definition.Value, at string) (string, bool) {
	here := make(map[string]bool, len(part.Members))
	for _, m := range part.Members {
		here[m.Key] = true
	}
	lacks, shared := "", false
	for _, m := range whole.Members {
		switch {
		case !here[m.Key] && lacks == "":
			lacks = at + "/" + m.Key
		case here[m.Key] && lacks != "":
			return "", false // something is lacking in its middle: somebody has removed it
		case here[m.Key]:
			shared = true
		}
	}
	if lacks != "" {
		return lacks, shared
	}
	if len(part.Members) == 0 {
		return "", false
	}
	last := part.Members[len(part.Members)-1]
	value, ok := whole.Get(last.Key)
	if !ok {
		return "", false
	}
	return cutAt(value, last.Value, at+"/"+last.Key)
}

// endsInKey reports whether the last thing in a document is a key without a value.
func endsInKey(v definition.Value) bool {
	switch v.Kind {
	case definition.Object:
		return len(v.Members) > 0 && endsInKey(v.Members[len(v.Members)-1].Value)
	case definition.Array:
		return len(v.Items) > 0 && endsInKey(v.Items[len(v.Items)-1])
	}
	return v.Kind == definition.Null && v.Text == ""
}
