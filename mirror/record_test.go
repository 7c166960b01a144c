package mirror_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

func hashOf(s string) definition.Hash {
	if s == "" {
		return definition.Hash{}
	}
	return definition.HashOf([]byte(s))
}

// at is the base of a.json with the content and one head of that number.
func at(content string, head byte) mirror.Base {
	return mirror.NewBase(hashOf(content), false, definition.Version{Change: definition.ChangeID{head}, Path: path("a.json")})
}

func TestRecordRoundTrip(t *testing.T) {
	p := path("a.json")
	other := definition.Version{Change: definition.ChangeID{7}, Path: path("moved/from.json")}
	records := map[string]mirror.Record{
		"zero":     mirror.NewRecord(mirror.NewBase(hashOf(""), false)),
		"unknown":  mirror.NewRecord(mirror.NewBase(hashOf(""), true)),
		"plain":    mirror.NewRecord(at("x", 1)),
		"deleted":  mirror.NewRecord(at("", 1)),
		"foreign":  mirror.NewRecord(mirror.NewBase(hashOf("x"), false, other)),
		"intent":   mirror.NewRecord(at("x", 1)).WithIntent(at("y", 2), 1<<63),
		"outdated": mirror.NewRecord(at("x", 1)).Exported(at("y", 2), time.UnixMilli(1<<40)).Exported(at("z", 3), time.UnixMilli(7)),
		"stale":    mirror.NewRecord(at("x", 1)).Advance(at("y", 2)).Advance(at("", 3)).Advance(at("z", 4)),
	}
	for name, want := range records {
		got, err := mirror.DecodeRecord(p, want.Encode(p))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: decode(encode) = %+v, %v, want %+v", name, got, err, want)
		}
		for n := range want.Encode(p) {
			if _, err := mirror.DecodeRecord(p, want.Encode(p)[:n]); err == nil {
				t.Errorf("%s: the first %d bytes decode", name, n)
			}
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	p := path("a.json")
	f.Add(mirror.NewRecord(at("x", 1)).Advance(at("y", 2)).WithIntent(at("z", 3), 9).Encode(p))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := mirror.DecodeRecord(p, data)
		if err != nil {
			return
		}
		again, err := mirror.DecodeRecord(p, r.Encode(p))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("decode(encode(%+v)) = %+v, %v", r, again, err)
		}
	})
}

func TestRecordRecovers(t *testing.T) {
	old, next := at("old", 1), at("next", 2)
	began := mirror.NewRecord(old).WithIntent(next, 42)
	done := mirror.NewRecord(old).Advance(next)
	tests := []struct {
		name     string
		record   mirror.Record
		disk     string
		inode    uint64
		rebooted bool
		placed   bool
		want     mirror.Base
	}{
		{"the rename did not happen", began, "old", 7, false, false, old},
		{"the rename happened", began, "next", 42, false, false, next},
		{"it happened and the file was edited in place", began, "edited", 42, false, false, next},
		{"the file was edited and the rename did not happen", began, "edited", 7, false, false, old},
		{"the new base is written", done, "next", 42, false, false, next},
		{"a power failure undid the rename", done, "old", 7, true, false, old},
		{"somebody wrote the old bytes again", done, "old", 7, false, false, next},
		{"edited after a power failure, on top of either", done, "edited", 7, true, false, old},
		{"deleted after a power failure", done, "", 0, true, false, old},
		{"edited after a power failure in the first sync", mirror.NewRecord(mirror.NewBase(hashOf(""), true)).Advance(next), "edited", 7, true, false, mirror.NewBase(hashOf(""), false)},
		{"the directory was flushed before", done.Flushed(), "old", 7, true, false, next},
		{"a power failure lost the file", mirror.NewRecord(at("", 0)).Advance(next), "", 0, true, false, at("", 0)},
		{"a power failure undid the deletion", mirror.NewRecord(old).Advance(at("", 3)), "old", 7, true, false, old},
		{"deleted after the rename", began, "", 0, false, true, next},
		{"the old bytes again after the rename", began, "old", 7, false, true, next},
		{"replaced after the rename", began, "edited", 7, false, true, next},
		{"the old bytes in the renamed file", began, "old", 42, false, false, next},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind := mirror.Present
			if tt.disk == "" {
				kind = mirror.Absent
			}
			got := tt.record.Recover(mirror.NewDiskState(kind, hashOf(tt.disk), false), tt.inode, tt.rebooted, tt.placed).Base()
			if !got.Equal(tt.want) {
				t.Errorf("base = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRecordKnowsEarlierContents(t *testing.T) {
	r := mirror.NewRecord(at("one", 1)).Advance(at("two", 2)).Advance(at("", 3)).Advance(at("three", 4))
	for content, want := range map[string]bool{"one": true, "two": true, "three": false, "four": false} {
		if got := r.Returns(hashOf(content)); got != want {
			t.Errorf("returns to %s = %v, want %v", content, got, want)
		}
	}
}
