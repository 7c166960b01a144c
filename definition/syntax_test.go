package definition_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// outline writes a value on one line: strings in quotes, all else as in the file,
// YAML tags as <tag>.
func outline(v definition.Value) string {
	var b strings.Builder
	writeOutline(&b, v)
	return b.String()
}

func writeOutline(b *strings.Builder, v definition.Value) {
	if v.Tag != "" {
		fmt.Fprintf(b, "<%s>", v.Tag)
	}
	switch v.Kind {
	case definition.Object:
		b.WriteString("{")
		for i, m := range v.Members {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "%q: ", m.Key)
			writeOutline(b, m.Value)
		}
		b.WriteString("}")
	case definition.Array:
		b.WriteString("[")
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			writeOutline(b, item)
		}
		b.WriteString("]")
	case definition.String:
		fmt.Fprintf(b, "%q", v.Text)
	case definition.Number, definition.Bool, definition.Null:
		b.WriteString(v.Text)
	default:
		fmt.Fprintf(b, "kind %d", v.Kind)
	}
}

// parse parses content under a name and checks that its bytes stay as they are.
func parse(tb testing.TB, name, content string) (definition.Document, error) {
	tb.Helper()
	given := []byte(content)
	doc, err := definition.Parse(mustPath(tb, name), given)
	if string(given) != content {
		tb.Errorf("Parse changed the content %q to %q", content, given)
	}
	return doc, err
}

func TestParseJSON(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"empty object", `{}`, `{}`},
		{"empty array", " [\t\r\n] ", `[]`},
		{"nested", `{"a": {"b": [1, "x", true, false, null, {}]}}`, `{"a": {"b": [1, "x", true, false, null, {}]}}`},
		{"order kept", `{"b":1,"a":2,"":3}`, `{"b": 1, "a": 2, "": 3}`},
		{"numbers as written", `[0, -0, 1.50, 1E+2, 12345678901234567, 1e999, 0.1e-7]`, `[0, -0, 1.50, 1E+2, 12345678901234567, 1e999, 0.1e-7]`},
		{"escapes", `["\"\\\/\b\f\n\r\t\u00e9A\u000a"]`, `["\"\\/\b\f\n\r\téA\n"]`},
		{"surrogate pair", `["\ud83d\ude00x"]`, `["😀x"]`},
		{"halves of pairs", `["\ud83d", "\ude00\ud83d", "\ud83dA"]`, `["�", "��", "�A"]`},
		{"escaped keys", `{"\u0061": 1}`, `{"a": 1}`},
		{"trailing commas", `{"a": [1, 2,],}`, `{"a": [1, 2]}`},
		{"comments", "// one\n{ /* two */ \"a\" /**/ : 1 // }\n, /* } */ }\n// three", `{"a": 1}`},
		{"byte order mark", "\ufeff{\"a\": 1}", `{"a": 1}`},
		{"comment marks in strings", `{"url": "https://a/*b*/#c"}`, `{"url": "https://a/*b*/#c"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := parse(t, "a.json", test.content)
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(doc.Root()); got != test.want {
				t.Errorf("%s is read as %s, want %s", test.content, got, test.want)
			}
			if doc.Syntax() != definition.JSON || !doc.Complete() {
				t.Errorf("syntax %v, complete %v, want json, true", doc.Syntax(), doc.Complete())
			}
		})
	}
}

func TestParseHJSON(t *testing.T) {
	tests := []struct {
		name, content, want string
		complete            bool
	}{
		{"hash comment", "# c\n{\"a\": 1} # d", `{"a": 1}`, true},
		{"bare keys and strings", "{\n  a: b c # not a comment\n  d-e: 'f'\n}", `{"a": "b c # not a comment", "d-e": "f"}`, true},
		{"bare literals", "{a: true, b: null // c\nd: -1.5e3 # e\n}", `{"a": true, "b": null, "d": -1.5e3}`, true},
		{"literals with more behind them", "{a: true x\nb: 1 2\nc: 01\nd: +1\ne: nul\nf: 1.\n}", `{"a": "true x", "b": "1 2", "c": "01", "d": "+1", "e": "nul", "f": "1."}`, true},
		{"bare string with punctuation", "{a: x, y] } z  \t\r\n}", `{"a": "x, y] } z"}`, true},
		{"commas left out", "[\n1\n\"a\" 'b'\n[]\n{}\n]", `[1, "a", "b", [], {}]`, true},
		{"single quotes", `{'a': 'b"\'c\n'}`, `{"a": "b\"'c\n"}`, true},
		{"escaped apostrophe", `["\'"]`, `["'"]`, true},
		{"tab in a string", "[\"a\tb\"]", `["a\tb"]`, true},
		{"lines", "{\n  a:\n    '''\n    one\n      two\n    three\n    '''\n}", `{"a": "one\n  two\nthree"}`, true},
		{"lines, short", "{a: '''x'''\nb: ''''''\nc: ''\n}", `{"a": "x", "b": "", "c": ""}`, true},
		{"lines, less indented", "{ a: '''\n one\r\n     two\n\n'''}", `{"a": "one\ntwo\n"}`, true},
		{"lines, quotes inside", "['''a''b'c''']", `["a''b'c"]`, true},
		{"key and colon apart", "{a\n: 1}", `{"a": 1}`, true},
		{"no braces", "a: 1\nb: {c: d\n}\n", `{"a": 1, "b": {"c": "d"}}`, false},
		{"no braces, quoted key", `"a": 1`, `{"a": 1}`, false},
		{"no braces, comma at the end", "a: 1,", `{"a": 1}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := parse(t, "a.json", test.content)
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(doc.Root()); got != test.want {
				t.Errorf("%q is read as %s, want %s", test.content, got, test.want)
			}
			if doc.Syntax() != definition.HJSON || doc.Complete() != test.complete {
				t.Errorf("syntax %v, complete %v, want hjson, %v", doc.Syntax(), doc.Complete(), test.complete)
			}
		})
	}
}

func TestParseYAML(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"mapping", "b: 1\na: [x, 'y', \"z\"]\n", `{"b": 1, "a": ["x", "y", "z"]}`},
		{"sequence", "- a\n-\n  - 1\n- {b: c}\n", `["a", [1], {"b": "c"}]`},
		{"document marks", "--- # c\na: 1\n...\n", `{"a": 1}`},
		{"braces", "{\"a\": 1}", `{"a": 1}`},
		{"scalars as written", "[12345678901234567890, 1.50, 0x1f, true, yes, ~, null, .inf, 2001-01-01, '1']",
			`[12345678901234567890, 1.50, 0x1f, true, "yes", ~, null, .inf, "2001-01-01", "1"]`},
		{"nothing", "a:\nb: 1\n", `{"a": , "b": 1}`},
		{"class", "--- !<org.apereo.cas.services.CasRegisteredService>\na: !<java.util.HashSet> [b]\nc: !d e\nf: !!str 1\n",
			`<org.apereo.cas.services.CasRegisteredService>{"a": <java.util.HashSet>["b"], "c": <d>"e", "f": "1"}`},
		{"aliases", "a: &x {b: &y [1]}\nc: *x\nd: *y\n", `{"a": {"b": [1]}, "c": {"b": [1]}, "d": [1]}`},
		{"alias as a key", "a: &x b\n*x : 1\n", `{"a": "b", "b": 1}`},
		{"merge keys stay keys", "a: &x {b: 1}\nc:\n  <<: *x\n", `{"a": {"b": 1}, "c": {"<<": {"b": 1}}}`},
		{"keys are text", "1: a\ntrue: b\n~: c\n", `{"1": "a", "true": "b", "~": "c"}`},
		{"blocks", "a: |\n  x\n  y\nb: >-\n  x\n  y\n", `{"a": "x\ny\n", "b": "x y"}`},
		{"byte order mark", "\ufeffa: 1", `{"a": 1}`},
		{"version 1.1", "%YAML 1.1\n---\na: 1\n", `{"a": 1}`},
		{"version 1.2", "%YAML 1.2\n--- !<x.A>\na: '%YAML 1.2'\n", `<x.A>{"a": "%YAML 1.2"}`},
		{"version 1.2 behind other lines", "\ufeff# c\r\n\r\n%TAG !x! !y\r\n%YAML  1.2 # d\r\n---\r\na: 1\r\n", `{"a": 1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"a.yml", "b/A.YAML"} {
				doc, err := parse(t, name, test.content)
				if err != nil {
					t.Fatal(err)
				}
				if got := outline(doc.Root()); got != test.want {
					t.Errorf("%q is read as %s, want %s", test.content, got, test.want)
				}
				if doc.Syntax() != definition.YAML || doc.Complete() {
					t.Errorf("syntax %v, complete %v, want yaml, false", doc.Syntax(), doc.Complete())
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	tests := []struct {
		name, file, content string
		line, column        int
		text                string
	}{
		{"empty", "a.json", "", 1, 1, "no definition"},
		{"only space and comments", "a.json", " \n# c\n  ", 3, 3, "no definition"},
		{"a scalar", "a.json", `"secret"`, 1, 9, "colon is missing"},
		{"garbage", "a.json", "<<<<<<< HEAD\n{}", 1, 9, "colon is missing"},
		{"open object", "a.json", "{\n \"a\": 1\n", 3, 1, "closing brace is missing"},
		{"open array", "a.json", "[1, 2", 1, 6, "closing bracket is missing"},
		{"open array of lines", "a.json", "[1\n2\n", 3, 1, "closing bracket is missing"},
		{"open string", "a.json", "{\"a\": \"b\n\"}", 1, 7, "not closed on its line"},
		{"open lines", "a.json", "{a: '''b\n}", 1, 5, "triple quotes is not closed"},
		{"open comment", "a.json", "{} /* c", 1, 4, "comment is not closed"},
		{"wrong closing", "a.json", "{\"a\": [1}", 1, 9, "a value is missing"},
		{"two roots", "a.json", "{}\n{}", 2, 1, "after the end"},
		{"second closing brace", "a.json", "{}}", 1, 3, "after the end"},
		{"no value", "a.json", `{"a": }`, 1, 7, "a value is missing"},
		{"no colon", "a.json", `{"é" 1}`, 1, 6, "colon is missing"},
		{"no key", "a.json", `{: 1}`, 1, 2, "key is missing"},
		{"two commas", "a.json", `{"a": 1,, "b": 2}`, 1, 9, "key is expected"},
		{"two commas in an array", "a.json", `[1,,2]`, 1, 4, "a value is missing"},
		{"space in a key", "a.json", "{a b: 1}", 1, 4, "colon is missing"},
		{"closing brace alone", "a.json", "a: 1\n}", 2, 1, "key is expected"},
		{"unknown escape", "a.json", `["\x41"]`, 1, 3, "no known escape"},
		{"short escape", "a.json", `["\u12"]`, 1, 3, "no known escape"},
		{"escape at the end", "a.json", `["\`, 1, 3, "no known escape"},
		{"duplicate key", "a.json", "{\"a\": 1,\n\"b\": {\n\"c\": 1, \"\\u0063\": 2}}", 3, 9, "already, on line 3"},
		{"duplicate key, bare", "a.json", "a: 1\n'a': 2\n", 2, 1, "already, on line 1"},
		{"duplicate among many", "a.json", manyMembers(100) + `"key7": 0}`, 101, 1, "already, on line 8"},
		{"not UTF-8", "a.json", "{\"a\": \"\xff\"}", 1, 8, "not UTF-8"},
		{"NUL", "a.json", "{}\x00", 1, 3, "control character"},
		{"too deep", "a.json", deep("[", "", "]", 101), 1, 101, "too deeply: at most 100"},
		{"far too deep", "a.json", deep("[", "", "", definition.MaxSize), 1, 101, "too deeply: at most 100"},

		{"empty YAML", "a.yml", "", 1, 1, "no definition"},
		{"only a YAML comment", "a.yml", "# c\n", 2, 1, "no definition"},
		{"only a document mark", "a.yml", "---\n", 2, 1, "no definition"},
		{"a YAML scalar", "a.yml", "\n<html>secret</html>\n", 2, 1, "no definition"},
		{"two documents", "a.yaml", "a: 1\n---\nb: 2\n", 2, 1, "second YAML document"},
		{"a broken second document", "a.yaml", "a: 1\n---\n[", 4, 1, "did not find"},
		{"duplicate YAML key", "a.yml", "a: 1\nb:\n - {c: 1, 'c': 2}\n", 3, 11, "already, on line 3"},
		{"duplicate YAML key of another type", "a.yml", "1: a\n'1': b\n", 2, 1, "already, on line 1"},
		{"a key that is no scalar", "a.yml", "? [a]\n: 1\n", 1, 3, "no scalar"},
		{"another version of YAML", "a.yml", "%YAML 1.3\n---\na: 1\n", 1, 1, "another version than 1.1 and 1.2"},
		{"YAML tab", "a.yml", "a:\n\tb: 1\n", 2, 1, "cannot start any token"},
		{"open YAML string", "a.yml", "a: \"é\n", 2, 1, "end of stream"},
		{"unknown anchor", "a.yml", "a: *secret\n", 1, 4, "no anchor"},
		{"an alias to what holds it", "a.yml", "a: &x [*x]\n", 1, 4, "too deeply"},
		{"alias bomb", "a.yml", aliasBomb(9), 1, 12, "too many values"},
		{"YAML not UTF-8", "a.yml", "a: \xff\n", 1, 4, "not UTF-8"},
		{"YAML control character", "a.yml", "a: \x07\n", 1, 4, "control character"},
		{"too deep YAML", "a.yml", deep("[", "", "]", 101), 1, 101, "too deeply: at most 100"},
		{"far too deep YAML", "a.yml", deep("[", "", "", definition.MaxSize), 1, 10001, "exceeded max depth"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := parse(t, test.file, test.content)
			var at *definition.SyntaxError
			if !errors.Is(err, definition.ErrSyntax) || !errors.As(err, &at) {
				t.Fatalf("the error is %v, want a SyntaxError; the document is %s", err, outline(doc.Root()))
			}
			if at.Line != test.line || at.Column != test.column || !strings.Contains(at.Text, test.text) {
				t.Errorf("the error is %v, want line %d, column %d: ...%s", at, test.line, test.column, test.text)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the content: %v", err)
			}
			if !strings.Contains(err.Error(), test.file) {
				t.Errorf("the error does not name the file: %v", err)
			}
			if doc.Root().Kind != 0 || doc.Complete() {
				t.Errorf("beside the error there is a document: %s", outline(doc.Root()))
			}
		})
	}
}

// manyMembers begins an object of n members on n lines.
func manyMembers(n int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, "\"key%d\": 0,\n", i)
	}
	return b.String()
}

// aliasBomb is YAML whose aliases expand to 10^levels values.
func aliasBomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [0,0,0,0,0,0,0,0,0,0]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10))
	}
	return b.String()
}

func TestParseAtItsLimits(t *testing.T) {
	const head, tail = `{"a": "`, `"}`
	largest := head + strings.Repeat("x", definition.MaxSize-len(head+tail)) + tail
	tests := []struct{ name, file, content string }{
		{"the largest", "a.json", largest},
		{"the deepest", "a.json", strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"the deepest YAML", "a.yml", strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"the most values", "a.json", "[" + strings.Repeat("0,", definition.MaxSize/2-1) + "]"},
		{"the most YAML values", "a.yml", "[" + strings.Repeat("0,", definition.MaxSize/2-1) + "]"},
		{"the most strings in triple quotes", "a.json", "[" + strings.Repeat("''''''", definition.MaxSize/6-1) + "]"},
		{"the most members", "a.json", "{" + members(20_000) + "}"},
	}
	for _, test := range tests {
		if _, err := parse(t, test.file, test.content); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, file := range []string{"a.json", "a.yml", "a.txt"} {
		_, err := parse(t, file, largest+" ")
		if !errors.Is(err, definition.ErrTooLarge) || errors.Is(err, definition.ErrSyntax) {
			t.Errorf("%s of %d bytes gives %v, want ErrTooLarge", file, definition.MaxSize+1, err)
		}
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":0,`, i)
	}
	return b.String()
}

func TestParseOpaque(t *testing.T) {
	for _, content := range []string{"", "{}", "\x00\xff"} {
		doc, err := parse(t, "a.properties", content)
		if err != nil || doc.Syntax() != definition.Opaque || doc.Root().Kind != 0 || doc.Complete() {
			t.Errorf("%q: %v, %v, want an opaque document", content, doc, err)
		}
	}
}

// TestValuePositions holds that what a value's positions delimit is its own text: read
// alone, it gives the value again.
func TestValuePositions(t *testing.T) {
	content := "\ufeff# c\n{\n a : [1, \"é\\n\" , {}]\n \"b\": c d  \n e: '''\n  x\n  '''\n f: x }}\n\"g\": null}"
	doc, err := parse(t, "a.json", content)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	walk(doc.Root(), func(start, end int) { texts = append(texts, content[start:end]) })
	want := []string{
		content[strings.Index(content, "{"):],
		"a", "[1, \"é\\n\" , {}]", "1", "\"é\\n\"", "{}",
		"\"b\"", "c d", "e", "'''\n  x\n  '''", "f", "x }}", "\"g\"", "null",
	}
	if got, want := strings.Join(texts, "|"), strings.Join(want, "|"); got != want {
		t.Errorf("the texts are\n%s\nwant\n%s", got, want)
	}
}

// walk calls visit with the positions of each key and value in the order of the text.
func walk(v definition.Value, visit func(start, end int)) {
	visit(v.Start, v.End)
	for _, item := range v.Items {
		walk(item, visit)
	}
	for _, m := range v.Members {
		visit(m.Start, m.End)
		walk(m.Value, visit)
	}
}

func TestGet(t *testing.T) {
	doc, err := parse(t, "a.json", `{"a": 1, "b": [2]}`)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := doc.Root().Get("a"); !ok || v.Text != "1" {
		t.Errorf("Get(a) = %s, %v, want 1, true", outline(v), ok)
	}
	b, _ := doc.Root().Get("b")
	for _, v := range []definition.Value{doc.Root(), b, {}} {
		if got, ok := v.Get("c"); ok || got.Kind != 0 {
			t.Errorf("Get(c) of %s = %s, %v, want no value", outline(v), outline(got), ok)
		}
	}
}

func TestEveryBeginningIsIncomplete(t *testing.T) {
	contents := []string{
		`{"a": [1, {"b": "}"}], "c": "}"}`,
		"[ [1], [2] ]",
		"{ # }\n a: {b: 1}\n /* } */ c: '''\n}\n''' // }\n}",
		"// }\n{a: x}\n}",
	}
	for _, content := range contents {
		doc, err := parse(t, "a.json", content)
		if err != nil || !doc.Complete() {
			t.Errorf("%q: complete %v, %v, want true", content, doc.Complete(), err)
		}
		for n := range len(content) {
			if doc, err := parse(t, "a.json", content[:n]); doc.Complete() {
				t.Errorf("%q is complete (%v), but it is the beginning of %q", content[:n], err, content)
			}
		}
		for _, more := range []string{"\n", " \r\n// c", "/**/"} {
			if doc, err := parse(t, "a.json", content+more); err != nil || !doc.Complete() {
				t.Errorf("%q: complete %v, %v, want true", content+more, doc.Complete(), err)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	content := bytes.Join([][]byte{
		[]byte(`{"@class": "org.apereo.cas.services.CasRegisteredService", "id": 12345678901234567, "name": "A", "list": [`),
		bytes.Repeat([]byte("{\"name\": \"attribute\", \"required\": true, \"order\": 17},\n"), 17),
		[]byte("]}\n"),
	}, nil)
	for _, bench := range []struct{ name, file string }{{"json", "a.json"}, {"yaml", "a.yml"}} {
		b.Run(bench.name, func(b *testing.B) {
			path := mustPath(b, bench.file)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := definition.Parse(path, content); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
