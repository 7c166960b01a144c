package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// TestARevertIsAMerge: what was edited since a change stays when it is reverted, unless it is
// the same field.
func TestARevertIsAMerge(t *testing.T) {
	t.Parallel()
	const one, two = `{"id": 1, "a": 1, "b": 1}`, `{"id": 1, "a": 2, "b": 1}`
	for _, tt := range []struct {
		name string
		tell func(d *desk) definition.Version // the change to be reverted
		want string                           // of the file
		err  string                           // or what the refusal says
	}{
		{"nothing since", func(d *desk) definition.Version {
			d.put(one)
			return d.put(two)
		}, one, ""},
		{"another field since", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put(`{"id": 1, "a": 2, "b": 3}`)
			return v
		}, `{"id": 1, "a": 1, "b": 3}`, ""},
		{"the layout since", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put("{\n  id: 1\n  a: 2\n  b: 1\n}")
			return v
		}, "{\n  id: 1\n  a: 1\n  b: 1\n}", ""},
		{"the comments since", func(d *desk) definition.Version {
			d.put("{\n  \"id\": 1,\n  // old\n  \"a\": 1\n}")
			v := d.put("{\n  \"id\": 1,\n  // new\n  \"a\": 2\n}")
			d.put("{\n  \"id\": 1,\n  \"a\": 2\n}")
			return v
		}, "{\n  \"id\": 1,\n  // old\n  \"a\": 1\n}", ""},
		{"the comment since", func(d *desk) definition.Version {
			d.put("{\n  \"id\": 1,\n  // old\n  \"a\": 1\n}")
			v := d.put("{\n  \"id\": 1,\n  // new\n  \"a\": 2\n}")
			d.put("{\n  \"id\": 1,\n  // newer\n  \"a\": 2\n}")
			return v
		}, "{\n  \"id\": 1,\n  // newer\n  \"a\": 1\n}", ""},
		{"the same field since", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put(`{"id": 1, "a": 4, "b": 1}`)
			return v
		}, "", "edited since: a-1.json at /a"},
		{"one side of a merge", func(d *desk) definition.Version {
			first := d.put(one)
			v := d.put(two, first)
			d.put(`{"id": 1, "a": 1, "b": 3}`, first)
			return v
		}, `{"id": 1, "a": 1, "b": 3}`, ""},
		{"the side of a merge that lost", func(d *desk) definition.Version {
			first := d.put(one)
			v := d.put(two, first)
			d.put(`{"id": 1, "a": 3, "b": 1}`, first)
			return v
		}, "", "edited since: a-1.json at /a"},
		{"the one before the last", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put(`{"id": 1, "a": 2, "b": 1, "c": 1}`)
			d.put(`{"id": 1, "a": 2, "b": 1, "c": 2}`)
			return v
		}, `{"id": 1, "a": 1, "b": 1, "c": 2}`, ""},
		{"it is as it was already", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put(one)
			return v
		}, "", "taken back already"},
		{"the field is as it was already", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put(`{"id": 1, "a": 1, "b": 7}`)
			return v
		}, "", "taken back already"},
		{"a new file that was edited", func(d *desk) definition.Version {
			v := d.put(one)
			d.put(two)
			return v
		}, "", "edited since: a-1.json (it had made the file)"},
		{"an edit of what was deleted", func(d *desk) definition.Version {
			d.put(one)
			v := d.put(two)
			d.put("")
			return v
		}, "", "edited since: a-1.json (it was deleted)"},
		{"a deletion", func(d *desk) definition.Version {
			d.put(one)
			return d.put("")
		}, one, ""},
		{"a deletion of what was made again", func(d *desk) definition.Version {
			d.put(one)
			v := d.put("")
			d.put(two)
			return v
		}, "", "edited since: a-1.json (it was made again)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, "a-1.json")
			id := tt.tell(d).Change
			_, planned := d.PreviewRevert(t.Context(), id)
			_, err := d.Revert(t.Context(), node.Reversion{Change: id})
			if tt.err != "" {
				if !errors.Is(err, node.ErrRefused) || !errors.Is(planned, node.ErrRefused) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v and %v, want a refusal: %s", planned, err, tt.err)
				}
				return
			}
			if err != nil || planned != nil {
				t.Errorf("got %v and %v", planned, err)
			}
			d.holds(tt.want)
		})
	}
}
