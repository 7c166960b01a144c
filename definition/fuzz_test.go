package definition_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hjson/hjson-go/v4"
	"github.com/tailscale/hujson"

	"github.com/starling-sync/starling/definition"
)

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"", "a.json", "a/b.yml", "../a", "a//b", "é/Straße.json", "e\u0301", `a\b`, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := definition.ParsePath(s)
		if err != nil {
			if !errors.Is(err, definition.ErrPath) || !p.IsZero() {
				t.Fatalf("ParsePath(%q) = %q, %v", s, p, err)
			}
			return
		}
		if p.String() != s {
			t.Errorf("ParsePath(%q) = %q", s, p)
		}
		if again, err := definition.ParsePath(p.String()); err != nil || again != p {
			t.Errorf("ParsePath(%q) once more = %q, %v", s, again, err)
		}
		if dir := p.Dir(); !dir.IsZero() {
			if _, err := definition.ParsePath(dir.String()); err != nil {
				t.Errorf("the folder of %q is no path: %v", s, err)
			}
			if got := dir.String() + "/" + p.Base(); got != s {
				t.Errorf("folder and name of %q make %q", s, got)
			}
		}
		if key := p.FoldKey(); strings.Contains(key, "\x00") || key == "" {
			t.Errorf("the key of %q is %q", s, key)
		}
	})
}

// addTexts seeds a fuzz target with examples of all syntaxes.
func addTexts(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "{}", "[]", `{"a": [1, -2.5e3, true, false, null, "b\né"], }`, "// c\n{/* c */ \"a\": {}}",
		"{a: b c\nd: 'e'\nf: '''\n g\n '''\n # h\n}", "a: 1\nb: [c\nd]", `["😀", "\ud83d"]`,
		"--- !<org.x.Y>\na: &x [1, *x]\nb: |\n  c\n", "a: &x {b: 1}\n<<: *x\n? [c]\n: d", "[[[[]]]]", "{\"a\":1,'a':2}", "\ufeff{}",
	} {
		f.Add([]byte(s))
	}
	for _, content := range corpus(f) {
		f.Add(content)
	}
}

// FuzzParse holds that Parse neither panics nor changes content, that an error says
// where, and that no beginning of an enclosed document counts as all of it.
func FuzzParse(f *testing.F) {
	addTexts(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		given := bytes.Clone(content)
		for _, name := range []string{"a.json", "a.yml"} {
			doc, err := definition.Parse(mustPath(t, name), content)
			if !bytes.Equal(content, given) {
				t.Fatal("Parse changed the content")
			}
			var at *definition.SyntaxError
			switch {
			case errors.As(err, &at):
				if lines := bytes.Count(content, []byte("\n")); at.Line < 1 || at.Column < 1 || name == "a.json" && at.Line > lines+1 {
					t.Errorf("the error of %s is at line %d, column %d", name, at.Line, at.Column)
				}
			case err != nil:
				if !errors.Is(err, definition.ErrTooLarge) {
					t.Errorf("the error of %s is %v", name, err)
				}
			case doc.Root().Kind != definition.Object && doc.Root().Kind != definition.Array:
				t.Errorf("the root of %s is %s", name, outline(doc.Root()))
			}
			doc.Service().ID()
			doc.Root().TypedCollection()
		}
	})
}

// FuzzComplete holds that no beginning of an enclosed document that lacks its
// closing brace is complete.
func FuzzComplete(f *testing.F) {
	addTexts(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 2000 {
			return
		}
		path := mustPath(t, "a.json")
		doc, err := definition.Parse(path, content)
		if err != nil || !doc.Complete() {
			return
		}
		for n := range doc.Root().End {
			if beginning, _ := definition.Parse(path, content[:n]); beginning.Complete() {
				t.Fatalf("%q is complete, but it is the beginning of %q", content[:n], content)
			}
		}
	})
}

// FuzzJSON compares with hujson: what it reads is JSON for us, and what is JSON for
// us it reads, as the same values at the same positions.
func FuzzJSON(f *testing.F) {
	addTexts(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.HasPrefix(content, []byte("\ufeff")) {
			return // RFC 8259 lets a reader skip it; hujson does not
		}
		want, wantErr := hujson.Parse(content)
		got, err := definition.Parse(mustPath(t, "a.json"), content)
		if err != nil {
			if _, scalar := want.Value.(hujson.Literal); wantErr == nil && !scalar && !refusedByRule(err) {
				t.Errorf("%q does not parse (%v), but hujson reads it", content, err)
			}
			return
		}
		if isJSON := got.Syntax() == definition.JSON; isJSON != (wantErr == nil) {
			t.Fatalf("%q is %v, hujson says %v", content, got.Syntax(), wantErr)
		}
		if wantErr == nil {
			compareHujson(t, content, got.Root(), want)
		}
	})
}

func compareHujson(t *testing.T, content []byte, got definition.Value, want hujson.Value) {
	t.Helper()
	if got.Start != want.StartOffset || got.End != want.EndOffset {
		t.Errorf("%q: a value from %d to %d, hujson from %d to %d", content, got.Start, got.End, want.StartOffset, want.EndOffset)
	}
	switch want := want.Value.(type) {
	case *hujson.Object:
		if got.Kind != definition.Object || len(got.Members) != len(want.Members) {
			t.Fatalf("%q: %s, hujson has an object of %d members", content, outline(got), len(want.Members))
		}
		for i, m := range want.Members {
			if key := m.Name.Value.(hujson.Literal).String(); got.Members[i].Key != key {
				t.Errorf("%q: key %q, hujson has %q", content, got.Members[i].Key, key)
			}
			compareHujson(t, content, got.Members[i].Value, m.Value)
		}
	case *hujson.Array:
		if got.Kind != definition.Array || len(got.Items) != len(want.Elements) {
			t.Fatalf("%q: %s, hujson has an array of %d", content, outline(got), len(want.Elements))
		}
		for i, item := range want.Elements {
			compareHujson(t, content, got.Items[i], item)
		}
	case hujson.Literal:
		kinds := map[hujson.Kind]definition.Kind{'n': definition.Null, 't': definition.Bool, 'f': definition.Bool, '0': definition.Number, '"': definition.String}
		text := string(want)
		if want.Kind() == '"' {
			text = want.String()
		}
		if got.Kind != kinds[want.Kind()] || got.Text != text {
			t.Errorf("%q: %s, hujson has %s", content, outline(got), want)
		}
	}
}

// halfNumber finds "1." and "1e", which hjson-go, unlike hjson-java, takes for numbers.
var halfNumber = regexp.MustCompile(`\d(\.(\D|$)|[eE][+-]?(\D|$))`)

// FuzzHJSON compares with hjson-go, but for its mistakes: it takes half a number for a
// number, a byte order mark for a key, the end of the text for a value, and each half of
// a surrogate pair for a character.
func FuzzHJSON(f *testing.F) {
	addTexts(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.HasPrefix(content, []byte("\ufeff")) || halfNumber.Match(content) || bytes.Contains(bytes.ToLower(content), []byte(`\ud`)) {
			return
		}
		var node hjson.Node
		options := hjson.DefaultDecoderOptions()
		options.UseJSONNumber = true
		wantErr := hjson.UnmarshalWithOptions(content, &node, options)
		doc, err := definition.Parse(mustPath(t, "a.json"), content)
		switch {
		case err != nil && wantErr == nil:
			switch node.Value.(type) {
			case *hjson.OrderedMap, []any:
				endAsValue := strings.Contains(hjsonTexts(&node), `\x00`)
				if !refusedByRule(err) && !endAsValue {
					t.Errorf("%q does not parse (%v), but hjson-go reads it", content, err)
				}
			}
		case err == nil && wantErr != nil:
			t.Errorf("%q parses, but hjson-go says %v", content, wantErr)
		case err == nil:
			if got, want := texts(doc.Root()), hjsonTexts(&node); got != want {
				t.Errorf("%q is read as\n%s\nhjson-go:\n%s", content, got, want)
			}
		}
	})
}

// refusedByRule reports whether Parse refuses what is right by the syntax.
func refusedByRule(err error) bool {
	if errors.Is(err, definition.ErrTooLarge) {
		return true
	}
	for _, text := range []string{"already", "too deeply", "not UTF-8", "control character", "comment is not closed", "no definition"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// texts is outline without the difference of numbers and strings, and of white space
// around strings: at the end of those without quotes hjson-go drops all of Unicode's.
func texts(v definition.Value) string {
	var b strings.Builder
	switch v.Kind {
	case definition.Object:
		for _, m := range v.Members {
			fmt.Fprintf(&b, "%q: %s, ", m.Key, texts(m.Value))
		}
		return "{" + b.String() + "}"
	case definition.Array:
		for _, item := range v.Items {
			fmt.Fprintf(&b, "%s, ", texts(item))
		}
		return "[" + b.String() + "]"
	}
	return fmt.Sprintf("%q", strings.TrimSpace(v.Text))
}

func hjsonTexts(v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case *hjson.Node:
		return hjsonTexts(v.Value)
	case *hjson.OrderedMap:
		for _, key := range v.Keys {
			fmt.Fprintf(&b, "%q: %s, ", key, hjsonTexts(v.Map[key]))
		}
		return "{" + b.String() + "}"
	case []any:
		for _, item := range v {
			fmt.Fprintf(&b, "%s, ", hjsonTexts(item))
		}
		return "[" + b.String() + "]"
	case nil:
		return `"null"`
	case json.Number:
		return fmt.Sprintf("%q", v.String())
	default:
		return fmt.Sprintf("%q", strings.TrimSpace(fmt.Sprint(v)))
	}
}
