package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestLayoutPosition(t *testing.T) {
	const json = "// first\n{\n  \"a\": 1, \"é\": [true,\n    {\"b/c\": null}],\n  d: it\n}\n"
	const yaml = "# first\n--- !<org.example.A>\na: 1\né: [true,\n  b/c: ]\nd: !<org.example.D>\n  e: {f: &x [1, 2]}\ng: *x\nh: ! é\n"
	for _, tt := range []struct{ name, content, pointer, want string }{
		{"a.json", json, "", "2:1"},
		{"a.json", json, "/a", "3:8"},
		{"a.json", json, "/é", "3:16"},
		{"a.json", json, "/é/0", "3:17"},
		{"a.json", json, "/é/1/b~1c", "4:13"},
		{"a.json", json, "/d", "5:6"},
		{"a.json", json, "/none", "2:1"},
		{"a.json", json, "/é/7", "3:16"},
		{"a.json", "\ufeff{\"a\": 1}", "/a", "1:7"},
		{"a.json", "a: 1\nb: 2", "", "1:1"},
		{"a.yml", yaml, "", "2:5"},
		{"a.yml", yaml, "/a", "3:4"},
		{"a.yml", yaml, "/é/1/b~1c", "5:6"},
		{"a.yml", yaml, "/d", "6:4"},
		{"a.yml", yaml, "/d/e/f/1", "7:17"},
		{"a.yml", yaml, "/d/e/none", "7:6"},
		{"a.yml", yaml, "/g", "8:4"},
		{"a.yml", yaml, "/g/1", "7:17"},
		{"a.txt", "whatever", "/a", "1:1"},
	} {
		_, layout, err := definition.ParseLayout(mustPath(t, tt.name), []byte(tt.content))
		if err != nil {
			t.Fatal(err)
		}
		line, column := layout.Position(tt.pointer)
		if got := fmt.Sprintf("%d:%d", line, column); got != tt.want {
			t.Errorf("position of %q in %s: got %s, want %s", tt.pointer, tt.name, got, tt.want)
		}
	}
}

func TestLayoutComments(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"a.json", "// one\r\n/* two\n lines */ # é\n{ // four\n \"a\": \"// no\", /* é */ // six\n b: x // no\n}", "1:1 // one, 2:1 /* two\n lines */, 3:11 # é, 4:3 // four, | 5:16 /* é */, 5:24 // six"},
		{"a.json", "{a: b # no\n b: '''\n # no\n ''' # yes\n}", "| 4:6 # yes"},
		{"a.json", "a: 1 # last", "| 1:6 # last"},
		{"a.yml", "# one\n# two\n--- !<org.example.A> # three\n# four\na: '# no' # five\nb: |\n  # no\nc: [1, # six\n  2] #no\n # seven\nd: é # eight\n# last", "1:1 # one, 2:1 # two, 3:22 # three, 4:1 # four, | 5:11 # five, 8:8 # six, 9:6 #no, 10:2 # seven, 11:6 # eight, 12:1 # last"},
		{"a.yml", "# one\n\n# two\na: 1\n", "1:1 # one, 3:1 # two, |"},
		{"a.yml", "a: 1\n", "|"},
		{"a.json", "{ // one\n} # two", "1:3 // one, | 2:3 # two"},
		{"a.json", "// one\n[ # two\n 1 // three\n]", "1:1 // one, 2:3 # two, | 3:4 // three"},
		{"a.txt", "# opaque", "|"},
	} {
		_, layout, err := definition.ParseLayout(mustPath(t, tt.name), []byte(tt.content))
		if err != nil {
			t.Errorf("%q: %v", tt.content, err)
			continue
		}
		var leading, others []string
		for _, c := range layout.Comments() {
			text := fmt.Sprintf("%d:%d %s", c.Line, c.Column, c.Text)
			if c.Leads {
				leading = append(leading, text+",")
			} else {
				others = append(others, text)
			}
		}
		got := strings.TrimSpace(strings.Join(leading, " ") + " | " + strings.Join(others, ", "))
		if got != tt.want {
			t.Errorf("comments of %q:\n got %s\nwant %s", tt.content, got, tt.want)
		}
	}
}
