package definition_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

func mustPath(tb rapid.TB, s string) definition.Path {
	tb.Helper()
	p, err := definition.ParsePath(s)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestParsePath(t *testing.T) {
	component := strings.Repeat("n", definition.MaxPathComponent)
	longest := strings.Repeat(strings.Repeat("d", 127)+"/", 7) + strings.Repeat("f", 128)
	if len(longest) != definition.MaxPath {
		t.Fatalf("the longest path has %d bytes, want %d", len(longest), definition.MaxPath)
	}
	tests := []struct {
		name  string
		path  string
		fault string // part of the error; "" if the path is valid
	}{
		{"a file", "Name-1000.json", ""},
		{"a folder", "cas-client/Name-1000.json", ""},
		{"spaces and accents", "Vôtre identité - 55.json", ""},
		{"no ending", "README", ""},
		{"dots inside", "a..b/c.d.json", ""},
		{"not Latin", "サービス/名前-1.yml", ""},
		{"marks without a composed form", "q\u0323.json", ""},
		{"the longest component", component, ""},
		{"the longest path", longest, ""},

		{"empty", "", "is empty"},
		{"a component too long", component + "n", "component has 256 bytes"},
		{"too long", longest + "f", "has 1025 bytes"},
		{"not UTF-8", "a\xff.json", "not UTF-8"},
		{"a surrogate half", "a\xed\xa0\x80.json", "not UTF-8"},
		{"absolute", "/a.json", "absolute"},
		{"only a slash", "/", "absolute"},
		{"a slash at the end", "a/", "empty component"},
		{"two slashes", "a//b.json", "empty component"},
		{"the directory itself", ".", "begins with a dot"},
		{"the parent", "../a.json", "begins with a dot"},
		{"the parent, inside", "a/../b.json", "begins with a dot"},
		{"the parent, last", "a/..", "begins with a dot"},
		{"a dot-file", ".a.json", "begins with a dot"},
		{"a dot-folder", "a/.git/b.json", "begins with a dot"},
		{"a backslash", `a\b.json`, "backslash"},
		{"NUL", "a\x00.json", "control character"},
		{"a line end", "a\n.json", "control character"},
		{"DEL", "a\x7f.json", "control character"},
		{"C1", "a\u0085.json", "control character"},
		{"decomposed", "e\u0301.json", "decomposed"},
		{"the Kelvin sign", "\u212a.json", "NFC"},
		{"marks out of order", "a\u0301\u0323.json", "NFC"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := definition.ParsePath(test.path)
			if test.fault == "" {
				if err != nil || got.String() != test.path {
					t.Errorf("ParsePath(%q) = %q, %v, want the path itself", test.path, got, err)
				}
				return
			}
			if !errors.Is(err, definition.ErrPath) || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("ParsePath(%q) gives the error %v, want ErrPath with %q", test.path, err, test.fault)
			}
			if !got.IsZero() {
				t.Errorf("ParsePath(%q) = %q beside its error, want the zero path", test.path, got)
			}
			if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("the error %q holds a raw control character", err)
			}
		})
	}
}

func TestPathParts(t *testing.T) {
	tests := []struct{ path, dir, base, ext string }{
		{"a.json", "", "a.json", ".json"},
		{"x/y/A-1.JSON", "x/y", "A-1.JSON", ".json"},
		{"x.d/README", "x.d", "README", ""},
		{"x/a.tar.Gz", "x", "a.tar.Gz", ".gz"},
	}
	for _, test := range tests {
		p := mustPath(t, test.path)
		if got := p.Dir().String(); got != test.dir {
			t.Errorf("Dir of %s = %q, want %q", p, got, test.dir)
		}
		if got := p.Base(); got != test.base {
			t.Errorf("Base of %s = %q, want %q", p, got, test.base)
		}
		if got := p.Ext(); got != test.ext {
			t.Errorf("Ext of %s = %q, want %q", p, got, test.ext)
		}
	}
}

func TestPathAsText(t *testing.T) {
	want := map[definition.Path]int{mustPath(t, "a/é.json"): 1, mustPath(t, "b.yml"): 2}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(text), `{"a/é.json":1,"b.yml":2}`; got != want {
		t.Errorf("paths as keys of JSON: %s, want %s", got, want)
	}
	var got map[definition.Path]int
	if err := json.Unmarshal(text, &got); err != nil || len(got) != 2 || got[mustPath(t, "b.yml")] != 2 {
		t.Errorf("read back: %v, %v, want %v", got, err, want)
	}

	var p definition.Path
	if err := json.Unmarshal([]byte(`"../x"`), &p); !errors.Is(err, definition.ErrPath) {
		t.Errorf("an invalid path in JSON gives %v, want ErrPath", err)
	}
	p = mustPath(t, "a.json")
	if err := json.Unmarshal([]byte(`""`), &p); err != nil || !p.IsZero() {
		t.Errorf("empty text gives %q, %v, want the zero path", p, err)
	}
}

func TestPathCompareOrdersByBytes(t *testing.T) {
	paths := []definition.Path{mustPath(t, "b"), mustPath(t, "a/b"), mustPath(t, "a"), mustPath(t, "é"), mustPath(t, "B")}
	slices.SortFunc(paths, definition.Path.Compare)
	var got []string
	for _, p := range paths {
		got = append(got, p.String())
	}
	if want := []string{"B", "a", "a/b", "b", "é"}; !slices.Equal(got, want) {
		t.Errorf("sorted: %q, want %q", got, want)
	}
}

func TestFoldKey(t *testing.T) {
	tests := []struct {
		name, a, b string
		equal      bool
	}{
		{"the same", "a/b.json", "a/b.json", true},
		{"case", "Cas-Client/NAME-1.json", "cas-client/name-1.JSON", true},
		{"case of accents", "É.json", "é.json", true},
		{"case of Greek, final sigma", "ΟΔΟΣ.json", "οδος.json", true},
		{"sharp s", "Straße.json", "STRASSE.json", true},
		{"long s", "ſ.json", "S.json", true},
		{"case under marks without a composed form", "Q\u0323.json", "q\u0323.json", true},
		{"iota below and its capital", "\u1f80.json", "\u1f88.json", true},
		{"accents", "e.json", "é.json", false},
		{"separators", "a-b.json", "a/b.json", false},
		{"ligature, equal only by compatibility", "①.json", "1.json", false},
		{"width", "Ａ.json", "A.json", false},
	}
	for _, test := range tests {
		a, b := mustPath(t, test.a), mustPath(t, test.b)
		if got := a.FoldKey() == b.FoldKey(); got != test.equal {
			t.Errorf("%s: keys %q and %q equal: %v, want %v", test.name, a.FoldKey(), b.FoldKey(), got, test.equal)
		}
	}
}
