package definition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestChangeIDText(t *testing.T) {
	want := definition.ChangeID(definition.HashOf([]byte("a change")))
	text := want.String()
	if len(text) != 52 || strings.ToLower(text) != text {
		t.Errorf("the text form is %q, want 52 characters in lower case", text)
	}
	if !strings.HasPrefix(text, want.Short()) || len(want.Short()) != 12 {
		t.Errorf("the short form is %q, want the first 12 characters of %q", want.Short(), text)
	}
	got, err := definition.ParseChangeID(text)
	if err != nil || got != want {
		t.Errorf("ParseChangeID(%q) = %v, %v, want %v", text, got, err, want)
	}
	for _, bad := range []string{"", text[:51], text + "a", strings.ToUpper(text), text[:51] + "1", text[:51] + "é", text + "\n", text[:51] + "b"} {
		if got, err := definition.ParseChangeID(bad); err == nil {
			t.Errorf("ParseChangeID(%q) = %v, want an error", bad, got)
		}
	}
}

func TestHashText(t *testing.T) {
	// The SHA-256 of nothing, known from FIPS 180-4, in lower-case base32.
	if got, want := definition.HashOf(nil).String(), "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq"; got != want {
		t.Errorf("the hash of nothing is %s, want %s", got, want)
	}
}

func TestZeroNamesNothing(t *testing.T) {
	if !(definition.ChangeID{}).IsZero() || (definition.ChangeID{31: 1}).IsZero() {
		t.Error("only the zero change id should be zero")
	}
	if !(definition.Version{}).IsZero() || (definition.Version{Path: mustPath(t, "a")}).IsZero() {
		t.Error("only the zero version should be zero")
	}
}

func TestVersionText(t *testing.T) {
	v := definition.Version{Change: definition.ChangeID{1}, Path: mustPath(t, "a/b.json")}
	if got, want := v.String(), "a/b.json@"+v.Change.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got definition.Version
	if err := json.Unmarshal(text, &got); err != nil || got != v {
		t.Errorf("%s reads back as %v, %v, want %v", text, got, err, v)
	}
}

func TestVersionCompare(t *testing.T) {
	a, b := mustPath(t, "a"), mustPath(t, "b")
	sorted := []definition.Version{
		{Change: definition.ChangeID{1}, Path: a},
		{Change: definition.ChangeID{1}, Path: b},
		{Change: definition.ChangeID{2}, Path: a},
	}
	for i, v := range sorted {
		for j, w := range sorted {
			got := v.Compare(w)
			if (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%v compared with %v: %d", v, w, got)
			}
		}
	}
}
