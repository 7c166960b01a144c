package definition_test

import (
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestOverwritten(t *testing.T) {
	const service = `{"@class": "x.Y", "id": 1, "name": "n", "serviceId": "s", "description": "d", "evaluationOrder": 1}`
	for _, c := range []struct {
		name, path, older, newer string
		want                     bool
	}{
		{"emptied", "a.json", service, `{}`, true},
		{"only its id is left", "a.json", service, `{"id": 1}`, true},
		{"another service", "a.json", service, `{"@class": "x.Y", "id": 2, "name": "n", "serviceId": "s", "description": "d", "evaluationOrder": 1}`, true},
		{"its class is gone", "a.json", service, `{"id": 1, "name": "n", "serviceId": "s", "description": "d", "evaluationOrder": 1}`, true},
		{"something else", "a.json", service, `{"hello": "world"}`, true},
		{"a list", "a.json", service, `[1]`, true},
		{"one field", "a.json", service, `{"@class": "x.Y", "id": 1, "name": "n", "serviceId": "s", "description": "e", "evaluationOrder": 1}`, false},
		{"all fields but the id", "a.json", service, `{"@class": "x.Z", "id": 1, "name": "m", "serviceId": "t", "description": "e", "evaluationOrder": 2}`, false},
		{"fewer fields", "a.json", service, `{"@class": "x.Y", "id": 1, "name": "n", "serviceId": "s"}`, false},
		{"other layout", "a.json", service, "{\n  id: 1\n  \"@class\": x.Y\n  name: n\n  serviceId: s\n  description: d\n  evaluationOrder: 1\n}", false},
		{"equal", "a.json", service, service, false},
		{"no id: another value", "a.json", `{"v": 1}`, `{"v": 2}`, false},
		{"no id: another field", "a.json", `{"v": 1}`, `{"w": 1}`, true},
		{"no id: emptied", "a.json", `{"v": 1}`, `{}`, true},
		{"no id: filled", "a.json", `{}`, `{"v": 1}`, false},
		{"no id: half of it", "a.json", `{"v": 1, "w": 1}`, `{"v": 1}`, false},
		{"a list of objects", "a.json", `[{"targets": ["a"]}]`, `[{"targets": ["b", "c"]}, {"targets": []}]`, false},
		{"a list emptied", "a.json", `[{"targets": ["a"]}]`, `[]`, true},
		{"a list of other objects", "a.json", `[{"targets": ["a"]}]`, `[{"x": 1}]`, true},
		{"YAML", "a.yml", "--- !<x.Y>\nid: 1\nname: n\n", "--- !<x.Y>\nid: 1\nname: m\n", false},
		{"YAML without its tag", "a.yml", "--- !<x.Y>\nid: 1\nname: n\n", "id: 1\nname: n\n", true},
		{"from YAML's tag to a member", "a.yml", "--- !<x.Y>\nid: 1\nname: n\n", "\"@class\": x.Y\nid: 1\nname: n\n", false},
		{"YAML emptied", "a.yml", "--- !<x.Y>\nid: 1\nname: n\n", "{}\n", true},
		{"lines", "a.conf", "a\nb\nc\n", "a\nx\ny\n", false},
		{"other lines", "a.conf", "a\nb\nc\n", "x\n", true},
		{"no definition", "a.json", service, `{`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := definition.Overwritten(mustPath(t, c.path), []byte(c.older), []byte(c.newer)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
