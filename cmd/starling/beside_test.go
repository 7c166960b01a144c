package main

import (
	"strings"
	"testing"
)

func TestBeside(t *testing.T) {
	text := func(s string) *string { return &s }
	show := func(s screen, base, lost, stands *string) string {
		var b strings.Builder
		writeSides(&b, s, "began with", base, lost, stands, "nothing", "removed")
		return b.String()
	}
	base, lost, stands := text("one\ntwo\n"), text("one\ntwo and a half\n"), text("one\n\tthree\x1b[31m\n")
	for _, test := range []struct {
		name string
		got  string
		want []string
	}{
		{"plain", show(screen{}, text("1"), nil, stands), []string{
			"  began with: 1",
			"  lost: (removed)",
			"  stands:",
			"    one",
			`      three\x1b[31m`,
		}},
		{"side by side", show(screen{width: 36}, base, lost, stands), []string{
			"began with | lost       | stands",
			"---------- | ---------- | ----------",
			"one        | one        | one",
			`two        | two and a  |   three\x1`,
			"           | half       | b[31m",
		}},
		{"in colour", show(screen{width: 36, colour: true}, base, lost, nil), []string{
			"began with | lost       | stands",
			"---------- | ---------- | ----------",
			"one        | one        | \x1b[32m(removed)\x1b[0m",
			"two        | \x1b[31mtwo and a \x1b[0m |",
			"           | \x1b[31mhalf\x1b[0m       |",
		}},
		{"characters of several bytes", show(screen{width: 36}, text("é"), text("ééééééééééééé"), text("x")), []string{
			"began with | lost       | stands",
			"---------- | ---------- | ----------",
			"é          | éééééééééé | x",
			"           | ééé        |",
		}},
	} {
		if want := strings.Join(test.want, "\n") + "\n"; test.got != want {
			t.Errorf("%s: got\n%q\nwant\n%q", test.name, test.got, want)
		}
	}
}

func TestScreen(t *testing.T) {
	if s := (&program{stdout: new(strings.Builder)}).screen(); s != (screen{}) {
		t.Errorf("what is no terminal is a screen: %+v", s)
	}
}
