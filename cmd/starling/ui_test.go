package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLegible(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain-1.json", "plain-1.json"},
		{"Zoë, 東京, 🐦 and \"quotes\" 'too', a\\b", "Zoë, 東京, 🐦 and \"quotes\" 'too', a\\b"},
		{"\x1b[31mred", `\x1b[31mred`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x00\x07\x7f", `\x00\a\x7f`},
		{"C1 \u009b31m", `C1 \u009b31m`},
		{"gpj\u202enosj", `gpj\u202enosj`},
		{"\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061c", `\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061c`},
		{"\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0e", `\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0e`},
		{"\u2028\u2029\u0085", `\u2028\u2029\u0085`},
		{"tag \U000e0041, private \ue000", `tag \U000e0041, private \ue000`},
		{"bad \xff\xfe, cut \xe2\x80", `bad \xff\xfe, cut \xe2\x80`},
		{"replaced \ufffd", "replaced \ufffd"},
	} {
		got := legible(tt.text)
		if got != tt.want {
			t.Errorf("legible(%q): got %s, want %s", tt.text, got, tt.want)
		}
		if again := legible(got); again != got {
			t.Errorf("legible(%q): got %s, want it unchanged", got, again)
		}
	}
}

// TestPrintfMakesArgumentsLegible: and leaves the format and numbers alone.
func TestPrintfMakesArgumentsLegible(t *testing.T) {
	type code string
	var b bytes.Buffer
	printf(&b, "%s\t%v\t%d\t%5.1f\t%t\t%v\n", "a\x1b", code("b\u202e"), 3, 1.5, true, []string{"c\n"})
	if got, want := b.String(), "a\\x1b\tb\\u202e\t3\t  1.5\ttrue\t[c\\n]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestJSONKeepsValuesAndHidesNothing: what is hidden is escaped, and means the same.
func TestJSONKeepsValuesAndHidesNothing(t *testing.T) {
	var all strings.Builder
	for r := range rune(0x3000) {
		all.WriteRune(r)
	}
	all.WriteString("\ufeff\ufff9\U000e0001\U000e007f\U0001f426")
	want := map[string]string{"text\u202e\x1b": all.String()}
	for _, indent := range []string{"", "  "} {
		var b bytes.Buffer
		if err := writeJSON(&b, want, indent); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && hidden(r) {
				t.Errorf("indent %q: JSON holds %U", indent, r)
			}
		}
		var got map[string]string
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for key, text := range want {
			if got[key] != text {
				t.Errorf("indent %q: the value is another after it was printed", indent)
			}
		}
	}
}

// TestTablesCatchWhatTheirRowsDoNot: a row that was not written by printf.
func TestTablesCatchWhatTheirRowsDoNot(t *testing.T) {
	var b bytes.Buffer
	text := "a\x1b\u202e\xff b\nc\n"
	if n, err := (netted{&b}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("got %d, %v, want all written", n, err)
	}
	if got, want := b.String(), `a\x1b\u202e\xff b`+"\nc\n"; got != want || !utf8.ValidString(got) {
		t.Errorf("got %q, want %q", got, want)
	}
}
