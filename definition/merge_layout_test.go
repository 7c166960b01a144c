package definition_test

import (
	"strings"
	"testing"
)

// TestMergeLayoutJSON shows where text goes in JSON and HJSON.
func TestMergeLayoutJSON(t *testing.T) {
	runMergeTests(t, "a.json", []mergeTest{
		{
			name:    "lines",
			base:    "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
			later:   "// head\n{\n  \"a\": 1, // why\n  /* b */\n  \"b\": 3\n  // end\n}\n",
			earlier: "{\n\t\"x\": {\n\t\t\"y\": [\n\t\t\t1\n\t\t]\n\t},\n\t\"a\": 1,\n\t\"c\": 2,\n\t\"b\": 2,\n\t\"d\": 4\n}\n",
			want:    "// head\n{\n  \"x\": {\n  \t\"y\": [\n  \t\t1\n  \t]\n  },\n  \"a\": 1, // why\n  \"c\": 2,\n  /* b */\n  \"b\": 3,\n  \"d\": 4\n  // end\n}\n",
		},
		{
			name:      "lines removed",
			base:      "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n",
			later:     "{\n  // about a\n  \"a\": 1, // a\n  // about b\n  \"b\": 9,\n\n  // about c\n  \"c\": 3 // c\n}\n",
			earlier:   "{\n  \"b\": 2\n}\n",
			want:      "{\n  // about a\n  // a\n  // about b\n  \"b\": 9\n\n  // about c\n  // c\n}\n",
			conflicts: "/a: none // a none; /c: none // c none",
		},
		{
			name:    "comments before commas",
			base:    `{"a": 1 /* a */, "b": 2 /* b */}`,
			later:   `{"a": 1 /* a */, "b": 3 /* b */}`,
			earlier: `{"a": 1 /* a */, "b": 2 /* b */, "c": 4}`,
			want:    `{"a": 1 /* a */, "b": 3 /* b */, "c": 4}`,
		},
		{
			name:    "trailing commas",
			base:    "{\n  \"a\": 1,\n  \"b\": [1, 2,],\n}",
			later:   "{\n  \"a\": 2,\n  \"b\": [1, 2,],\n}",
			earlier: "{\n  \"a\": 1,\n  \"b\": [1, 2, 3],\n  \"c\": 3\n}",
			want:    "{\n  \"a\": 2,\n  \"b\": [1, 2, 3,],\n  \"c\": 3,\n}",
		},
		{
			name:    "one line, tight",
			base:    `{"a":1,"b":[1,2]}`,
			later:   `{"a":2,"b":[1,2]}`,
			earlier: `{"a":1,"b":[0,1,2,3]}`,
			want:    `{"a":2,"b":[0,1,2,3]}`,
		},
		{
			name:    "one line, wide",
			base:    `{ "a" : 1 , "b" : 2 }`,
			later:   `{ "a" : 1 , "b" : 3 }`,
			earlier: `{ "b" : 2 , "c" : 4 }`,
			want:    `{ "b" : 3, "c" : 4 }`,
		},
		{
			name:    "commas first",
			base:    "{ \"a\": 1\n, \"b\": 2\n, \"c\": 3\n}",
			later:   "{ \"a\": 1\n, \"b\": 2\n, \"c\": 4\n}",
			earlier: "{ \"a\": 1\n, \"c\": 3\n}",
			want:    "{ \"a\": 1\n,\n \"c\": 4\n}",
		},
		{
			name:    "filled on lines",
			base:    "{\n  \"a\": {},\n  \"b\": 1\n}",
			later:   "{\n  \"a\": { },\n  \"b\": 2\n}",
			earlier: "{\n    \"a\": {\n        \"x\": 1,\n        \"y\": 2\n    },\n    \"b\": 1\n}",
			want:    "{\n  \"a\": {\n      \"x\": 1,\n      \"y\": 2\n  },\n  \"b\": 2\n}",
		},
		{
			name:    "filled, a comment inside",
			base:    `{"a": [], "b": 1}`,
			later:   `{"a": [ /* none */ ], "b": 2}`,
			earlier: `{"a": [1, 2], "b": 1}`,
			want:    `{"a": [1, 2 /* none */ ], "b": 2}`,
		},
		{
			name:    "line ends of the later side",
			base:    "{\r\n  \"a\": 1\r\n}\r\n",
			later:   "{\r\n  \"a\": 2 // x\r\n}\r\n",
			earlier: "{\n  \"b\": 0,\n  \"a\": 1,\n  \"c\": 3\n}\n",
			want:    "{\r\n  \"b\": 0,\r\n  \"a\": 2, // x\r\n  \"c\": 3\r\n}\r\n",
		},
		{
			name:    "HJSON without commas",
			base:    "{\n  # head\n  a: x y\n  b: 1\n}\n",
			later:   "{\n  # head\n  a: x y\n  b: 2 # two\n}\n",
			earlier: "{\n  # head\n  a: z // not a comment\n  c: [\n    p q\n    r\n  ]\n  b: 1\n  d: new one\n}\n",
			want:    "{\n  # head\n  a: z // not a comment\n  c: [\n    p q\n    r\n  ]\n  b: 2 # two\n  d: new one\n}\n",
		},
		{
			name:    "HJSON without braces",
			base:    "# head\na: x\nb: y\nc: z",
			later:   "# head\n\na: x\n# b\nb: Y\nc: z",
			earlier: "# head\nn: 0\na: x\nb: y\nm: 1",
			want:    "# head\n\nn: 0\na: x\n# b\nb: Y\nm: 1",
		},
		{
			name:    "HJSON, strings of lines",
			base:    "{\n  a: 1\n  b: 1\n}",
			later:   "{\n    a: 1\n    b: 2\n}",
			earlier: "{\n  a:\n    '''\n    one\n      two\n   three\n    '''\n  c: [ '''x\n       y''' ]\n  b: 1\n}",
			want:    "{\n    a: '''\n       one\n         two\n      three\n       '''\n    c: [ '''x\n         y''' ]\n    b: 2\n}",
		},
		{
			name:    "a bare string where more follows",
			base:    `{ a: 1, b: 2 }`,
			later:   `{ a: 1, b: 3 }`,
			earlier: "{ a: one two\n b: 2, c: x y\n}",
			want:    "{ a: one two\n b: 3, c: x y\n }",
		},
		{
			name:    "a bare string before a comment",
			base:    "{\n  a: 1 # one\n  b: 2\n}",
			later:   "{\n  a: 1 # one\n  b: 3\n}",
			earlier: "{\n  a: uno\n  b: 2\n}",
			want:    "{\n  a: uno\n  b: 3\n}",
		},
		{
			name:    "comments of what is new",
			base:    "{\n  \"a\": 1, // one\n  // about b\n  \"b\": 2\n}",
			later:   "{\n  \"a\": 9, // one\n  // about b\n  \"b\": 2\n}",
			earlier: "{\n  \"a\": 1, // one\n\n    // new: c\n    /* really */\n    \"c\": 3, // three\n  // about b\n  \"d\": 4,\n  \"b\": 2, // two\n  \"e\": 5 // five\n}",
			want:    "{\n  \"a\": 9, // one\n  // new: c\n  /* really */\n  \"c\": 3, // three\n  // about b\n  \"d\": 4,\n  \"b\": 2, // two\n  \"e\": 5 // five\n}",
		},
		{
			name:    "items moved with their comments",
			base:    "{\n  \"a\": [\n    1,\n    2,\n    3\n  ]\n}",
			later:   "{\n  \"a\": [\n    // about one\n    1, // one\n    2, /* two */\n    /* about three */\n    3, // three\n    4\n  ] // all\n}",
			earlier: "{\n  \"a\": [ 3, 1, 2 ]\n}",
			want:    "{\n  \"a\": [\n    /* about three */\n    3, // three\n    // about one\n    1, // one\n    2, /* two */\n    4\n  ] // all\n}",
		},
		{
			name:    "items moved in one line",
			base:    `{"a":[1,{"id":2,"b":1},3]}`,
			later:   `{ "a": [ 1 , { "id": 2, "b": 9 } , 3 /* three */ ] }`,
			earlier: `{"a":[3,{"id":2,"b":1},1,0]}`,
			want:    `{ "a": [ 3 /* three */ , { "id": 2, "b": 9 }, 1 , 0 ] }`,
		},
		{
			name:    "items without quotes moved",
			base:    "{\n  a: [\n    x y\n    z\n    \"q\"\n  ]\n}",
			later:   "{\n  a: [\n    x y\n    z\n    \"q\"\n    n\n  ]\n}",
			earlier: "{\n  a: [\n    \"q\"\n    z\n    x y\n  ]\n}",
			want:    "{\n  a: [\n    \"q\"\n    z\n    x y\n    n\n  ]\n}",
		},
		{
			name:    "byte order mark",
			base:    "\ufeff{\"a\": 1, \"b\": 1}",
			later:   "\ufeff{\"a\": 2, \"b\": 1}",
			earlier: "{\"a\": 1, \"b\": \"é\"}",
			want:    "\ufeff{\"a\": 2, \"b\": \"é\"}",
		},
	})
}

// TestMergeLayoutYAML shows where text goes in YAML.
func TestMergeLayoutYAML(t *testing.T) {
	runMergeTests(t, "a.yml", []mergeTest{
		{
			name:    "a service",
			base:    "--- !<org.x.Service>\nserviceId: \"a\"\nid: 1\naccessStrategy: !<org.x.Strategy>\n  enabled: true\n  ssoEnabled: true\n",
			later:   "# head\n--- !<org.x.Service>\nserviceId: \"a\" # regex\nid: 1\n\naccessStrategy: !<org.x.Strategy> # s\n  enabled: false\n  # sso\n  ssoEnabled: true\n",
			earlier: "--- !<org.x.Other>\nserviceId: 'b'\ntheme: t\nid: 1\naccessStrategy: !<org.x.Strategy>\n  enabled: true\n  order: 1\n  ssoEnabled: true\n",
			want:    "# head\n--- !<org.x.Other>\nserviceId: 'b' # regex\ntheme: t\nid: 1\n\naccessStrategy: !<org.x.Strategy> # s\n  enabled: false\n  order: 1\n  # sso\n  ssoEnabled: true\n",
		},
		{
			name:      "entries removed",
			base:      "a: 1\nb:\n  c: 1\n  d: 1\ne: 1\n",
			later:     "a: 1 # a\n# b\nb:\n  c: 1\n  d: 2\ne: 1 # e",
			earlier:   "b:\n  d: 1\n",
			want:      "# a\n# b\nb:\n  d: 2\n# e",
			conflicts: "/a: none # a none; /e: none # e none",
		},
		{
			name:    "sequences",
			base:    "s:\n- a\n- b\nn: 1\n",
			later:   "s:\n- a # one\n- b\nn: 2\n",
			earlier: "s:\n  - x\n  - a\n  - c: 1\n    d:\n    - e\nn: 1\n",
			want:    "s:\n- x\n- a # one\n- c: 1\n  d:\n  - e\nn: 2\n",
		},
		{
			name:    "compact mappings",
			base:    "- a: 1\n  id: x\n  b: 1\n- c: 1\n",
			later:   "-   a: 1\n    id: x\n    b: 2\n-   c: 1\n",
			earlier: "- id: x\n  b: 1\n  z: 3\n- y: 0\n  c: 1\n",
			want:    "-   id: x\n    b: 2\n    z: 3\n-   y: 0\n    c: 1\n",
		},
		{
			name:    "filled and emptied",
			base:    "a: {}\nb: [1]\nc:\n  d: 1\ne: 1\n",
			later:   "a: {} # a\nb: [1]\nc: # c\n  d: 1\ne: 2\n",
			earlier: "a:\n    x: 1\n    y:\n        z: 2\nb: []\nc: {}\ne: 1\n",
			want:    "a: # a\n    x: 1\n    y:\n        z: 2\nb: []\nc: {} # c\ne: 2\n",
		},
		{
			name:    "blocks of text",
			base:    "a: 1\nb: |\n  x\nc: 1\nd: 1\n",
			later:   "a: 1 # a\nb: | # b\n    x\nc: 1\nd: 2\n",
			earlier: "a: >-\n  one\n\n   two\nb: short\nc: |+\n  p\n\nd: 1\n",
			want:    "a: >- # a\n  one\n\n   two\nb: short # b\nc: |+\n  p\n\nd: 2\n",
		},
		{
			name:    "values of lines against values of none",
			base:    "a:\nb: x\nc: 1\nd: {e: 1}\nf:\n  g: 1\n",
			later:   "a:\nb: x\nc: 2\nd: {e: 1}\nf:\n  g: 1\n",
			earlier: "a:\n- 1\nb:\n  y: z\nc: 1\nd:\n  - 1\nf:\n",
			want:    "a:\n- 1\nb:\n  y: z\nc: 2\nd:\n  - 1\nf:\n",
		},
		{
			name:    "in brackets",
			base:    "a: {b: 1, c: [x, y]}\nd: 1\n",
			later:   "a: {b: 1, c: [x, y]}\nd: 2\n",
			earlier: "a: {c: [y, 'z'], e: {}}\nd: 1\n",
			want:    "a: {c: [y, 'z'], e: {}}\nd: 2\n",
		},
		{
			name:    "text over lines",
			base:    "a: b\nc: 1\n",
			later:   "a: b\nc: 2\n",
			earlier: "a: one\n  two\n\n  three\nn: \"four\n  five\"\nc: 1\n",
			want:    "a: one\n  two\n\n  three\nn: \"four\n  five\"\nc: 2\n",
		},
		{
			name:    "comments of what is new",
			base:    "a: 1 # one\n# about b\nb: 2\n",
			later:   "a: 9 # one\n# about b\nb: 2\n",
			earlier: "a: 1 # one\n# new\nc:\n  # deep\n  - x # x\n# about b\nd: 4 # four\nb: 2\n",
			want:    "a: 9 # one\n# new\nc:\n  # deep\n  - x # x\n# about b\nd: 4 # four\nb: 2\n",
		},
		{
			name:      "beside dashes",
			base:      "a:\n- [1]\n- b: 1\n  c: 1\n  id: x\n- x\n- - d\n  - e\n",
			later:     "a:\n- [1] # one\n- b: 1 # b\n  # c\n  c: 2\n  id: x\n- x # x\n- - d # d\n  # e\n  - e\n",
			earlier:   "a:\n- [2]\n- c: 1\n  id: x\n- |\n  y\n- - e\n",
			want:      "a:\n- [2] # one\n-\n  # b\n  # c\n  c: 2\n  id: x\n- | # x\n  y\n-\n  # d\n  # e\n  - e\n",
			conflicts: "/a/1/b: none # b none; /a/3/0: none # d none",
		},
		{
			name:      "tags come and go",
			base:      "a: {b: 1}\nc: !<x.C>\n  d: 1\ne: 1\nf: !local 1\n",
			later:     "a: {b: 1}\nc: !<x.C>\n  d: 2\ne: 2\nf: !local 1\n",
			earlier:   "a: !<x.A> {b: 1}\nc:\n  d: 1\ne: 1\nf: !other 1\n",
			want:      "a: !<x.A> {b: 1}\nc: !<x.C>\n  d: 2\ne: 2\nf: !other 1\n",
			conflicts: "/c: !<x.C>\n  d: 1 !<x.C>\n  d: 2 d: 1",
		},
		{
			name:    "items moved with their comments",
			base:    "a:\n- x\n- id: 1\n  b: 1\n- y\n",
			later:   "a:\n# about x\n- x # x\n- id: 1 # one\n  # about b\n  b: 2\n# about y\n- y # y\n",
			earlier: "a:\n- y\n- id: 1\n  b: 1\n- x\n",
			want:    "a:\n# about y\n- y # y\n- id: 1 # one\n  # about b\n  b: 2\n# about x\n- x # x\n",
		},
		{
			name:    "text of lines moved beside a dash",
			base:    "l:\n- - x\n  - |-\n    one\n    two\n  - y\n",
			later:   "l:\n- - x # behind\n  - |-\n    one\n    two\n  - y # y\n",
			earlier: "l:\n- - |-\n    one\n    two\n  - x\n  - y\n",
			want:    "l:\n- - |-\n    one\n    two\n  - x # behind\n  - y # y\n",
		},
		{
			name:    "text of lines moved with a comment that is indented in another way",
			base:    "l:\n- x\n- |-\n  one\n- y\n",
			later:   "l:\n  - x # behind\n    # above\n  - |-\n    one\n  - y # y\n",
			earlier: "l:\n- |-\n  one\n- x\n- y\n",
			want:    "l:\n  # above\n  - |-\n    one\n  - x # behind\n  - y # y\n",
		},
		{
			name:    "sets by tag",
			base:    "s: !<java.util.HashSet>\n- a\n- b\n",
			later:   "s: !<java.util.HashSet>\n- b\n- a\n- c\n",
			earlier: "s: !<java.util.HashSet> [a, d]\n",
			want:    "s: !<java.util.HashSet>\n- d\n- a\n- c\n",
		},
	})
}

// TestMergeLayoutYAMLAnchors merges around values that have anchors or are aliases.
func TestMergeLayoutYAMLAnchors(t *testing.T) {
	runMergeTests(t, "a.yml", []mergeTest{
		{
			name:    "beside an anchor",
			base:    "base: &b {x: 1}\nother: one\nlast: two\n",
			later:   "base: &b {x: 1}\nother: one\nlast: 2\n",
			earlier: "base: &b {x: 1}\nother: 1\nlast: two\n",
			want:    "base: &b {x: 1}\nother: 1\nlast: 2\n",
		},
		{
			name:    "in what has a merge key",
			base:    "x: &x # c\n  image: a\n  env: [1]\nservices:\n  web:\n    <<: *x\n    port: 1\n    name: web\n  db:\n    <<: *x\n    port: 2\n",
			later:   "x: &x # c\n  image: a\n  env: [1]\nservices:\n  web:\n    <<: *x\n    port: 10\n    name: web\n  db:\n    <<: *x\n    port: 2\n",
			earlier: "x: &x # c\n  image: a\n  env: [1]\nservices:\n  web:\n    <<: *x\n    port: 1\n    name: www\n  db:\n    <<: *x\n    port: 20\n    new: 1\n",
			want:    "x: &x # c\n  image: a\n  env: [1]\nservices:\n  web:\n    <<: *x\n    port: 10\n    name: www\n  db:\n    <<: *x\n    port: 20\n    new: 1\n",
		},
		{
			name:    "of every kind",
			base:    "a: &a !<x.A>\n  k: 1\nb: !<x.B> &b [1, *a]\nc: &c |\n  text\nd: &d\n&k e: 1\n*c : f\nl:\n- &i x\n- *i\n- &m\n  n: 1\n- y\nz: 1\n",
			later:   "a: &a !<x.A>\n  k: 1\nb: !<x.B> &b [1, *a]\nc: &c |\n  text\nd: &d\n&k e: 1\n*c : f\nl:\n- &i x\n- *i\n- &m\n  n: 1\n- y\nz: 2\n",
			earlier: "a: &a !<x.A>\n  k: 1\nb: !<x.B> &b [1, *a]\nc: &c |\n  text\nd: &d\n&k e: 2\n*c : g\nl:\n- &i x\n- *i\n- &m\n  n: 1\n- Y\nz: 1\n",
			want:    "a: &a !<x.A>\n  k: 1\nb: !<x.B> &b [1, *a]\nc: &c |\n  text\nd: &d\n&k e: 2\n*c : g\nl:\n- &i x\n- *i\n- &m\n  n: 1\n- Y\nz: 2\n",
		},
	})
}

// TestMergeLayoutYAMLBrackets puts into brackets what the earlier side has on lines.
func TestMergeLayoutYAMLBrackets(t *testing.T) {
	runMergeTests(t, "a.yml", []mergeTest{
		{
			name:    "a typed collection is filled",
			base:    "a: [java.util.HashSet, []]\nb: 1\n",
			later:   "a: [java.util.HashSet, []]\nb: 2\n",
			earlier: "a:\n- java.util.HashSet\n- - x, y\n  - \"z\"\nb: 1\n",
			want:    "a: [java.util.HashSet, [\"x, y\", \"z\"]]\nb: 2\n",
		},
		{
			name:    "values of lines",
			base:    "{a: 1, b: 1}\n",
			later:   "{a: 1, b: 2}\n",
			earlier: "a:\n- c\n- d: !<x.D>\n    e: |\n      one\n      two\n    f:\n    'g h': {i: [1]}\n    j, k: l {m}\nb: 1\nn:\n  o: 1\n",
			want:    "{a: [c, {d: !<x.D> {e: \"one\\ntwo\\n\", f:, 'g h': {i: [1]}, \"j, k\": \"l {m}\"}}], b: 2, n: {o: 1}}\n",
		},
		{
			name:    "brackets over lines",
			base:    "a: [\n  1\n]\nb: 1\n",
			later:   "a: [\n  1 # one\n]\nb: 2\n",
			earlier: "a:\n- 1\n- c: 2\n  d: 3\nb: 1\n",
			want:    "a: [\n  1, # one\n  {c: 2, d: 3}\n]\nb: 2\n",
		},
	})
}

func TestMergeKeepsEveryLineOfBothSides(t *testing.T) {
	base := "{\n  \"list\": [\n    \"m\"\n  ]\n}\n"
	later := strings.Replace(base, "\"m\"", "\"m\", // the middle\n    \"later\"", 1)
	earlier := strings.Replace(base, "\"m\"", "\"earlier\",\n    \"m\"", 1)
	merged, err := merge(t, "a.json", base, later, earlier)
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"list\": [\n    \"earlier\",\n    \"m\", // the middle\n    \"later\"\n  ]\n}\n"
	if got := string(merged.Content); got != want {
		t.Errorf("merged into\n%s\nwant\n%s", got, want)
	}
}
