package main

import (
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestSummary(t *testing.T) {
	edit := func(kind, path, from string) api.ChangeEdit {
		return api.ChangeEdit{Kind: kind, Path: path, MovedFrom: from}
	}
	for _, tt := range []struct {
		edits []api.ChangeEdit
		want  string
	}{
		{nil, ""},
		{[]api.ChangeEdit{edit("delete", "a", ""), edit("move", "b", "a")}, "delete a, move b from a"},
		{[]api.ChangeEdit{edit("edit", "a", ""), edit("edit", "b", ""), edit("edit", "c", "")}, "edit a, edit b, edit c"},
		{[]api.ChangeEdit{edit("edit", "a", ""), edit("edit", "b", ""), edit("edit", "c", ""), edit("edit", "d", ""), edit("edit", "e", "")}, "edit a, edit b, edit c, 2 more"},
	} {
		if got := summary(tt.edits); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
