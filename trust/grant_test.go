package trust_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

func TestGrantAllows(t *testing.T) {
	for _, tt := range []struct {
		role  trust.Role
		globs []string
		path  string
		want  bool
	}{
		{trust.RoleWriter, nil, "a/b/c.json", true},
		{trust.RoleReader, nil, "a.json", false},
		{trust.RoleReader, []string{"**"}, "a.json", false},
		{0, nil, "a.json", false},
		{3, nil, "a.json", false},
		{trust.RoleWriter, []string{"*.json"}, "a.json", true},
		{trust.RoleWriter, []string{"*.json"}, "a/b.json", false},
		{trust.RoleWriter, []string{"apps/**"}, "apps/x/y.yml", true},
		{trust.RoleWriter, []string{"apps/**"}, "apps2/x.yml", false},
		{trust.RoleWriter, []string{"apps/**"}, "x/apps/y.yml", false},
		{trust.RoleWriter, []string{"no/*", "{a,b}-[0-9]*.json"}, "b-7.json", true},
		{trust.RoleWriter, []string{"a"}, "a.json", false},
	} {
		g := trust.Grant{Role: tt.role, Paths: tt.globs}
		if got := g.Allows(must(definition.ParsePath(tt.path))); got != tt.want {
			t.Errorf("%v with globs %q, Allows(%s): got %v, want %v", tt.role, tt.globs, tt.path, got, tt.want)
		}
	}
	if (trust.Grant{Role: trust.RoleWriter}).Allows(definition.Path{}) {
		t.Error("Allows(no path): got true, want false")
	}
}

func TestRolesAndModesAsText(t *testing.T) {
	type text struct {
		Role trust.Role           `json:"role"`
		Mode trust.RevocationMode `json:"mode"`
	}
	for _, want := range []struct {
		value text
		json  string
	}{
		{text{trust.RoleReader, trust.ModeKeep}, `{"role":"reader","mode":"keep"}`},
		{text{trust.RoleWriter, trust.ModePurge}, `{"role":"writer","mode":"purge"}`},
	} {
		data, err := json.Marshal(want.value)
		if err != nil || string(data) != want.json {
			t.Errorf("Marshal(%+v) = %s, %v, want %s", want.value, data, err, want.json)
		}
		var got text
		if err := json.Unmarshal(data, &got); err != nil || got != want.value {
			t.Errorf("Unmarshal(%s) = %+v, %v", data, got, err)
		}
	}
	for _, bad := range []string{`{"role":"Writer"}`, `{"role":""}`, `{"role":"role(3)"}`, `{"mode":"mode(0)"}`, `{"mode":"drop"}`} {
		if err := json.Unmarshal([]byte(bad), new(text)); err == nil {
			t.Errorf("Unmarshal(%s): got nil, want an error", bad)
		}
	}
	for _, bad := range []text{{0, trust.ModeKeep}, {trust.RoleReader, 0}, {3, trust.ModeKeep}} {
		if data, err := json.Marshal(bad); err == nil {
			t.Errorf("Marshal(%+v) = %s, want an error", bad, data)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "A.b-c_9", "9", strings.Repeat("a", 63)} {
		if err := trust.CheckName(name); err != nil {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
	for _, name := range []string{"", "-a", ".a", "_a", "a b", "a/b", "a\n", "ä", strings.Repeat("a", 64)} {
		if err := trust.CheckName(name); err == nil {
			t.Errorf("CheckName(%q): got nil, want an error", name)
		}
	}
}
