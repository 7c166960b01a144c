package definition_test

import (
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// commentTest is one case of comments that merge. Each is tried with the edits of one side as
// the later and as the earlier one.
type commentTest struct {
	name, base, comments, values string
	want                         string // of both orders
}

func TestMergeComments(t *testing.T) {
	for _, format := range []struct {
		file  string
		tests []commentTest
	}{
		{"a.json", []commentTest{
			{
				name:     "edited",
				base:     "{\n  // old words\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why\n  \"d\": \"d\"\n}\n",
				comments: "{\n  // new words\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why not\n  \"d\": \"d\"\n}\n",
				values:   "{\n  // old words\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why\n  \"d\": \"e\"\n}\n",
				want:     "{\n  // new words\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why not\n  \"d\": \"e\"\n}\n",
			},
			{
				name:     "added",
				base:     "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      2\n    ],\n    \"e\": {}\n  }\n}\n",
				comments: "// head\n{ // open\n  # starling:ignore x\n  \"a\": 1, // a\n  \"b\": {\n    \"c\": [ // list\n      /* one\n         line */\n      1,\n      2 // two\n      // end of c\n    ],\n    \"e\": {\n      // nothing\n    }\n    // end of b\n  }\n  // end\n}\n// tail\n",
				values:   "{\n  \"a\": 2,\n  \"b\": {\n    \"c\": [\n      1,\n      2,\n      3\n    ],\n    \"e\": {}\n  }\n}\n",
				want:     "// head\n{ // open\n  # starling:ignore x\n  \"a\": 2, // a\n  \"b\": {\n    \"c\": [ // list\n      /* one\n         line */\n      1,\n      2, // two\n      3\n      // end of c\n    ],\n    \"e\": {\n      // nothing\n    }\n    // end of b\n  }\n  // end\n}\n// tail\n",
			},
			{
				name:     "removed",
				base:     "// head\n{\n  // about a\n  \"a\": 1, // a\n  \"b\": 2 /* b */\n  // end\n}\n// tail\n",
				comments: "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
				values:   "// head\n{\n  // about a\n  \"a\": 2, // a\n  \"b\": 2 /* b */\n  // end\n}\n// tail\n",
				want:     "{\n  \"a\": 2,\n  \"b\": 2\n}\n",
			},
			{
				name:     "in one line",
				base:     `{"a": 1, "b": {"c": [1, 2]}}`,
				comments: `/* head */ {"a": 1 /* a */, /* about b */ "b": {"c": [1 /* one */, 2]}} /* tail */`,
				values:   `{"a": 2, "b": {"c": [1, 2, 3]}}`,
				want:     `/* head */ {"a": 2 /* a */, /* about b */ "b": {"c": [1 /* one */, 2, 3]}} /* tail */`,
			},
			{
				name:     "with its value",
				base:     "{\n  \"a\": 8, // low\n  // about b\n  \"b\": true,\n  \"c\": \"d\"\n}\n",
				comments: "{\n  \"a\": 9, // high\n  // about b, ticket 7\n  \"b\": false,\n  \"c\": \"d\"\n}\n",
				values:   "{\n  \"a\": 8, // low\n  // about b\n  \"b\": true,\n  \"c\": \"e\"\n}\n",
				want:     "{\n  \"a\": 9, // high\n  // about b, ticket 7\n  \"b\": false,\n  \"c\": \"e\"\n}\n",
			},
			{
				name:     "with the value that the other changed",
				base:     "{\n  \"a\": 8, // low\n  \"c\": \"d\"\n}\n",
				comments: "{\n  \"a\": 8, // low, see ticket 7\n  \"c\": \"d\"\n}\n",
				values:   "{\n  \"a\": 9, // low\n  \"c\": \"d\"\n}\n",
				want:     "{\n  \"a\": 9, // low, see ticket 7\n  \"c\": \"d\"\n}\n",
			},
			{
				name:     "gone with its member",
				base:     "{\n  \"z\": 0,\n  // about a\n  // more\n  \"a\": { // open\n    // in\n    \"b\": 1 // b\n  }, // behind\n  // about c\n  \"c\": \"d\"\n}\n",
				comments: "{\n  \"z\": 0,\n  // about c\n  \"c\": \"d\"\n}\n",
				values:   "{\n  \"z\": 1,\n  // about a\n  // more\n  \"a\": { // open\n    // in\n    \"b\": 1 // b\n  }, // behind\n  // about c\n  \"c\": \"d\"\n}\n",
				want:     "{\n  \"z\": 1,\n  // about c\n  \"c\": \"d\"\n}\n",
			},
			{
				name:     "a member commented out",
				base:     "{\n  \"a\": 1,\n  \"b\": 2, // two\n  \"c\": 3,\n  \"e\": 4\n}\n",
				comments: "{\n  \"a\": 1,\n  // \"b\": 2, // two\n  \"c\": 3\n  // \"e\": 4\n}\n",
				values:   "{\n  \"a\": 9,\n  \"b\": 2, // two\n  \"c\": 8,\n  \"e\": 4\n}\n",
				want:     "{\n  \"a\": 9,\n  // \"b\": 2, // two\n  \"c\": 8\n  // \"e\": 4\n}\n",
			},
			{
				name:     "moved with a member",
				base:     "{\n  // about a\n  \"a\": 1,\n  // about b\n  \"b\": 2\n}\n",
				comments: "{\n  // about b\n  \"b\": 2,\n  // about a, too\n  \"a\": 1\n}\n",
				values:   "{\n  // about b\n  \"b\": 3,\n  // about a\n  \"a\": 1\n}\n",
				want:     "{\n  // about b\n  \"b\": 3,\n  // about a, too\n  \"a\": 1\n}\n",
			},
			{
				name:     "moved to a renamed member",
				base:     "{\n  // about a\n  \"a\": 1,\n  \"b\": 2\n}\n",
				comments: "{\n  // about it\n  \"a\": 1,\n  \"b\": 2\n}\n",
				values:   "{\n  // about a\n  \"z\": 1,\n  \"b\": 2\n}\n",
				want:     "{\n  // about it\n  \"z\": 1,\n  \"b\": 2\n}\n",
			},
			{
				name:     "of both at different places",
				base:     "{\n  // one\n  // two\n  \"a\": 1,\n  \"b\": 2 // b\n}\n",
				comments: "{\n  // one 1\n  // two\n  \"a\": 1, // new\n  \"b\": 2 // b\n}\n",
				values:   "{\n  // one\n  // two 2\n  \"a\": 1,\n  \"b\": 2 // B\n  // end\n}\n",
				want:     "{\n  // one 1\n  // two 2\n  \"a\": 1, // new\n  \"b\": 2 // B\n  // end\n}\n",
			},
			{
				name:     "edited equally",
				base:     "{\n  // one\n  \"a\": 1,\n  \"b\": 2\n}\n",
				comments: "{\n  // two\n  \"a\": 3, // new\n  \"b\": 2\n}\n",
				values:   "{\n  // two\n  \"a\": 1, // new\n  \"b\": 4\n}\n",
				want:     "{\n  // two\n  \"a\": 3, // new\n  \"b\": 4\n}\n",
			},
			{
				name:     "of HJSON",
				base:     "{\n  # old\n  a: some text\n  b: 1 # b\n  c:\n    '''\n    x\n    '''\n}\n",
				comments: "{\n  # new\n  a: some text\n  b: 1 # B\n  // about c\n  c:\n    '''\n    x\n    '''\n  /* end */\n}\n",
				values:   "{\n  # old\n  a: other text\n  b: 1 # b\n  c:\n    '''\n    y\n    '''\n}\n",
				want:     "{\n  # new\n  a: other text\n  b: 1 # B\n  // about c\n  c:\n    '''\n    y\n    '''\n  /* end */\n}\n",
			},
			{
				name:     "of HJSON without braces",
				base:     "# head\n\na: some text\nb: 1\n",
				comments: "# new head\n\n# about a\na: some text\nb: 1 // b\n# tail\n",
				values:   "# head\n\na: some text\nb: 2\n",
				want:     "# new head\n\n# about a\na: some text\nb: 2 // b\n# tail\n",
			},
			{
				name:     "of items and elements",
				base:     "{\n  \"l\": [\n    // the first\n    {\"id\": 1, \"x\": 1},\n    {\"id\": 2, \"x\": 1} // second\n  ],\n  \"s\": [\"java.util.HashSet\", [\n    \"a\", // A\n    \"b\"\n  ]]\n}\n",
				comments: "{\n  \"l\": [\n    // the very first\n    {\"id\": 1, \"x\": 1},\n    {\"id\": 2, \"x\": 1} // 2nd\n  ],\n  \"s\": [\"java.util.HashSet\", [\n    \"a\", // of a\n    // of b\n    \"b\"\n  ]]\n}\n",
				values:   "{\n  \"l\": [\n    // the first\n    {\"id\": 1, \"x\": 2},\n    {\"id\": 2, \"x\": 3} // second\n  ],\n  \"s\": [\"java.util.HashSet\", [\n    \"c\",\n    \"a\", // A\n    \"b\"\n  ]]\n}\n",
				want:     "{\n  \"l\": [\n    // the very first\n    {\"id\": 1, \"x\": 2},\n    {\"id\": 2, \"x\": 3} // 2nd\n  ],\n  \"s\": [\"java.util.HashSet\", [\n    \"c\",\n    \"a\", // of a\n    // of b\n    \"b\"\n  ]]\n}\n",
			},
			{
				name:     "with CRLF",
				base:     "{\r\n  // old\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n",
				comments: "{\r\n  // new\r\n  \"a\": 1, // a\r\n  /* two\r\n     lines */\r\n  \"b\": 2\r\n}\r\n",
				values:   "{\r\n  // old\r\n  \"a\": 1,\r\n  \"b\": 3\r\n}\r\n",
				want:     "{\r\n  // new\r\n  \"a\": 1, // a\r\n  /* two\r\n     lines */\r\n  \"b\": 3\r\n}\r\n",
			},
		}},
		{"a.yml", []commentTest{
			{
				name:     "edited",
				base:     "# head\n--- !<x.Y> # root\nid: 1\n# old words\ns: \"^a\" # why\nd: d\n",
				comments: "# top\n--- !<x.Y> # the root\nid: 1\n# new words\ns: \"^a\" # why not\nd: d\n",
				values:   "# head\n--- !<x.Y> # root\nid: 1\n# old words\ns: \"^a\" # why\nd: e\n",
				want:     "# top\n--- !<x.Y> # the root\nid: 1\n# new words\ns: \"^a\" # why not\nd: e\n",
			},
			{
				name:     "added",
				base:     "a: 1\nb:\n  c:\n  - 1\n  - 2\n  e: {}\nf: |\n  text\ng: [1, 2]\n",
				comments: "# head\n\n# starling:ignore x\na: 1 # a\nb: # b\n  # about c\n  c: # c\n  # one\n  - 1\n  - 2 # two\n  e: {} # e\n  # end of b\nf: | # f\n  text\ng: [1, 2] # g\n# tail\n",
				values:   "a: 2\nb:\n  c:\n  - 1\n  - 2\n  - 3\n  e: {}\nf: |\n  words\ng: [1, 2, 3]\n",
				want:     "# head\n\n# starling:ignore x\na: 2 # a\nb: # b\n  # about c\n  c: # c\n  # one\n  - 1\n  - 2 # two\n  - 3\n  e: {} # e\n  # end of b\nf: | # f\n  words\ng: [1, 2, 3] # g\n# tail\n",
			},
			{
				name:     "removed",
				base:     "# head\n\na: 1 # a\nb: # b\n  # about c\n  c: 1 # c\n  # end of b\n# tail\n",
				comments: "a: 1\nb:\n  c: 1\n",
				values:   "# head\n\na: 2 # a\nb: # b\n  # about c\n  c: 2 # c\n  # end of b\n# tail\n",
				want:     "a: 2\nb:\n  c: 2\n",
			},
			{
				name:     "with its value",
				base:     "a: true # open\n# about b\nb:\n- 1 # one\nc: d\n",
				comments: "a: false # closed\n# about b, 7\nb:\n- 2 # two\nc: d\n",
				values:   "a: true # open\n# about b\nb:\n- 1 # one\nc: e\n",
				want:     "a: false # closed\n# about b, 7\nb:\n- 2 # two\nc: e\n",
			},
			{
				name:     "gone with its member",
				base:     "z: 0\n# about a\na: # open\n  # in\n  b: 1 # b\n  # end\n# about c\nc: d\n",
				comments: "z: 0\n# about c\nc: d\n",
				values:   "z: 1\n# about a\na: # open\n  # in\n  b: 1 # b\n  # end\n# about c\nc: d\n",
				want:     "z: 1\n# about c\nc: d\n",
			},
			{
				name:     "a member commented out",
				base:     "a: 1\nb:\n- x\nc: 3\ne: 4\n",
				comments: "a: 1\n# b:\n# - x\nc: 3\n# e: 4\n",
				values:   "a: 9\nb:\n- x\nc: 8\ne: 4\n",
				want:     "a: 9\n# b:\n# - x\nc: 8\n# e: 4\n",
			},
			{
				name:     "of compact items",
				base:     "- a: 1\n  # b\n  b: 1\n-\n  # c\n  c: 1\n",
				comments: "- a: 1 # A\n  # B\n  b: 1\n-\n  # C\n  c: 1\n# tail\n",
				values:   "- a: 2\n  # b\n  b: 1\n-\n  # c\n  c: 2\n",
				want:     "- a: 2 # A\n  # B\n  b: 1\n-\n  # C\n  c: 2\n# tail\n",
			},
			{
				name:     "in brackets over lines",
				base:     "a: [\n  1,\n  2\n]\nb: {c: 1}\n",
				comments: "a: [ # open\n  # one\n  1,\n  2 # two\n  # end\n]\nb: {c: 1} # b\n",
				values:   "a: [\n  1,\n  2,\n  3\n]\nb: {c: 2}\n",
				want:     "a: [ # open\n  # one\n  1,\n  2, # two\n  3\n  # end\n]\nb: {c: 2} # b\n",
			},
			{
				name:     "beside anchors",
				base:     "a: &a # old\n  x: 1\nb: *a # b\nc: 1\n",
				comments: "a: &a # new\n  # about x\n  x: 1\nb: *a # B\nc: 1\n",
				values:   "a: &a # old\n  x: 1\nb: *a # b\nc: 2\n",
				want:     "a: &a # new\n  # about x\n  x: 1\nb: *a # B\nc: 2\n",
			},
		}},
	} {
		for _, test := range format.tests {
			t.Run(format.file[2:]+" "+test.name, func(t *testing.T) {
				for _, order := range [][3]string{{"comments later", test.comments, test.values}, {"comments earlier", test.values, test.comments}} {
					merged, err := merge(t, format.file, test.base, order[1], order[2])
					if err != nil {
						t.Fatalf("%s: %v", order[0], err)
					}
					if got := string(merged.Content); got != test.want {
						t.Errorf("%s: got\n%s\nwant\n%s", order[0], got, test.want)
					}
					if len(merged.Conflicts) > 0 {
						t.Errorf("%s: got conflicts %s, want none", order[0], conflicts(merged))
					}
				}
			})
		}
	}
}

// TestMergeCommentConflicts wants the comments that both sides changed, and others that do not
// stand, in the list.
func TestMergeCommentConflicts(t *testing.T) {
	tests := []struct {
		name, file, base, later, earlier, want, conflicts string
	}{
		{
			"edited by both", "a.json",
			"{\n  // old\n  \"a\": 1, // x\n  \"b\": 1\n}\n", "{\n  // later\n  \"a\": 1, // x\n  \"b\": 2\n}\n", "{\n  // earlier\n  \"a\": 1, // y\n  \"b\": 1\n}\n",
			"{\n  // later\n  \"a\": 1, // y\n  \"b\": 2\n}\n", "/a: // old // later // earlier",
		},
		{
			"edited by both, YAML", "a.yml",
			"a: 1 # old\nb: 1\n", "a: 1 # later\nb: 2\n", "a: 1 # earlier\nb: 1\n",
			"a: 1 # later\nb: 2\n", "/a: # old # later # earlier",
		},
		{
			"at the head of the document", "a.yml",
			"# old\n---\na: 1\n", "# later\n---\na: 1\n", "# earlier\n---\na: 1\n",
			"# later\n---\na: 1\n", "#: # old # later # earlier",
		},
		{
			"removed and edited", "a.json",
			"{\n  // old\n  \"a\": 1,\n  \"b\": 1 // b\n}\n", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\n  // new\n  \"a\": 1,\n  \"b\": 1 // b\n}\n",
			"{\n  // new\n  \"a\": 1,\n  \"b\": 2\n}\n", "/a: // old none // new",
		},
		{
			"edited and removed", "a.json",
			"{\n  // old\n  \"a\": 1,\n  \"b\": 1 // b\n}\n", "{\n  // new\n  \"a\": 1,\n  \"b\": 1 // b\n}\n", "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
			"{\n  // new\n  \"a\": 1,\n  \"b\": 2\n}\n", "/a: // old // new none",
		},
		{
			"saved by CAS in another layout and order", "a.json",
			"{\n  // who\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why\n  \"d\": \"d\"\n}\n",
			"{\n  @class: x.Y\n  d: e\n  id: 1\n}\n",
			"{\n  // who\n  \"@class\": \"x.Y\",\n  \"id\": 1, // why not\n  \"d\": \"d\"\n}\n",
			"{\n  @class: x.Y\n  d: e\n  id: 1 // why not\n}\n", "/id: // why none // why not",
		},
		{
			"edited behind a string without quotes", "a.json",
			"{\n  \"a\": \"x\", // old\n  \"b\": 1\n}\n", "{\n  a: x\n  b: 1\n}\n", "{\n  \"a\": \"x\", // new\n  \"b\": 2\n}\n",
			"{\n  // new\n  a: x\n  b: 2\n}\n", "/a: // old none // new",
		},
		{
			"of a value that both changed", "a.json",
			"{\n  \"a\": 8, // low\n  \"b\": 1\n}\n", "{\n  \"a\": 9, // low\n  \"b\": 1\n}\n", "{\n  \"a\": 10, // high\n  \"b\": 1\n}\n",
			"{\n  \"a\": 9, // low\n  \"b\": 1\n}\n", "/a: 8 9 10; /a: // low // low // high",
		},
		{
			"added behind by both", "a.yml",
			"a: 1\nb: 1\n", "a: 1 # later\nb: 2\n", "a: 1 # earlier\nb: 1\n",
			"a: 1 # later\nb: 2\n", "/a: none # later # earlier",
		},
		{
			"moved to a new value by one and removed by the other, who commented that too", "a.json",
			"{\n  \"a\": 1, // old\n  \"b\": 0\n}\n", "{\n  \"c\": 5, // old\n  \"a\": 1,\n  \"b\": 0\n}\n", "{\n  \"c\": 6, // new\n  \"a\": 1,\n  \"b\": 0\n}\n",
			"{\n  \"c\": 5,\n  \"a\": 1,\n  \"b\": 0\n}\n", "/c: none 5 6; /c: none  // new",
		},
		{
			"added above by both", "a.yml",
			"b: 1\na: 1\n", "b: 2\n# later\na: 1\n", "b: 1\n# earlier\na: 1\n",
			"b: 2\n# later\n# earlier\na: 1\n", "",
		},
		{
			"edited, its member removed", "a.json",
			"{\n  \"z\": 0,\n  // old\n  \"a\": 1,\n  \"b\": 1\n}\n", "{\n  \"z\": 0,\n  \"b\": 1\n}\n", "{\n  \"z\": 0,\n  // new\n  \"a\": 1,\n  \"b\": 1\n}\n",
			"{\n  \"z\": 0,\n  // new\n  \"b\": 1\n}\n", "/a: // old none // new",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			merged, err := merge(t, test.file, test.base, test.later, test.earlier)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(merged.Content); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if got := conflicts(merged); got != test.conflicts {
				t.Errorf("got conflicts\n%s\nwant\n%s", got, test.conflicts)
			}
			for _, c := range merged.Conflicts {
				if isComment := strings.Contains(c.Earlier.Text+c.Later.Text, "//") || strings.Contains(c.Earlier.Text+c.Later.Text, "#"); isComment != (c.Kind == definition.FieldComment) {
					t.Errorf("got the kind %q of %s", c.Kind, c.Pointer)
				}
			}
			taken, err := definition.Take(mustPath(t, test.file), []byte(test.base), []byte(test.later), []byte(test.earlier), []string{"/a", "/id", ""})
			if err != nil || len(taken.Conflicts) > 0 {
				t.Fatalf("taking the earlier side gives conflicts %s, %v", conflicts(taken), err)
			}
			if test.conflicts != "" && string(taken.Content) != test.earlier && string(taken.Content) == test.want && merged.Conflicts[len(merged.Conflicts)-1].Later.Present {
				t.Errorf("taking the earlier side gives the same:\n%s", taken.Content)
			}
		})
	}
}
