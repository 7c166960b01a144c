package crdt_test

import (
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
)

func TestSuperseded(t *testing.T) {
	s := newStory(t)
	first := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", `{"a": 1}`), edit("y.json", `{"a": 1}`)))
	again := s.add(s.write(s.a, seconds(2), []*woven{first}, edit("x.json", `{"a": 1}`, first)))
	two := s.add(s.write(s.a, seconds(3), []*woven{again}, edit("x.json", `{"a": 2}`, again)))
	other := s.add(s.write(s.b, seconds(5), []*woven{again}, edit("x.json", `{"a": 3}`, again)))
	gone := s.add(s.write(s.b, seconds(7), []*woven{two, other}, edit("x.json", "", two, other)))
	s.add(s.write(s.b, seconds(9), []*woven{gone}, edit("x.json", `{"a": 4}`, gone)))
	r := tell(t, s.weaver.c, s.blocks)
	for _, tt := range []struct {
		path, bytes string
		want        int64 // 0: it was not
	}{
		{"x.json", `{"a": 1}`, 5},
		{"x.json", `{"a": 2}`, 7},
		{"x.json", `{"a": 3}`, 7},
		{"x.json", `{"a": 4}`, 0},
		{"x.json", `{"a": 5}`, 0},
		{"y.json", `{"a": 1}`, 0},
		{"z.json", `{"a": 1}`, 0},
	} {
		at, ok := r.Superseded(path(t, tt.path), definition.HashOf([]byte(tt.bytes)))
		if ok != (tt.want != 0) || ok && !at.Equal(time.Unix(tt.want, 0)) {
			t.Errorf("%s %s: got %v, %t, want second %d", tt.path, tt.bytes, at, ok, tt.want)
		}
	}
}
