package main

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones
)

func TestParseMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// The clocks went back an hour on the 25th of October 2026.
	now := time.Date(2026, 10, 25, 17, 30, 15, 500, berlin)
	for _, tt := range []struct{ in, want string }{
		{"2026-10-24T18:00:00Z", "2026-10-24T18:00:00Z"},
		{"2026-10-24T18:00:00.123456-03:00", "2026-10-24T21:00:00.123456Z"},
		{"2026-10-24", "2026-10-23T22:00:00Z"},
		{"2026-10-24 18:00", "2026-10-24T16:00:00Z"},
		{"2026-10-24T18:00", "2026-10-24T16:00:00Z"},
		{" 2026-10-24   18:00:30.25 ", "2026-10-24T16:00:30.25Z"},
		{"2026-12-24T18:00:30", "2026-12-24T17:00:30Z"},
		{"now", "2026-10-25T16:30:15.0000005Z"},
		{"today", "2026-10-24T22:00:00Z"},
		{"Today 9:00", "2026-10-25T08:00:00Z"},
		{"yesterday", "2026-10-23T22:00:00Z"},
		{"yesterday 18:00", "2026-10-24T16:00:00Z"},
		{"yesterday 18:00:59", "2026-10-24T16:00:59Z"},
		{"2h ago", "2026-10-25T14:30:15.0000005Z"},
		{"2 Hours ago", "2026-10-25T14:30:15.0000005Z"},
		{"1h30m ago", "2026-10-25T15:00:15.0000005Z"},
		{"90 min ago", "2026-10-25T15:00:15.0000005Z"},
		{"15s ago", "2026-10-25T16:30:00.0000005Z"},
		{"1 day ago", "2026-10-24T15:30:15.0000005Z"}, // 25 hours
		{"3 days ago", "2026-10-22T15:30:15.0000005Z"},
		{"2w ago", "2026-10-11T15:30:15.0000005Z"},
		{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
	} {
		got, err := parseMoment(tt.in, now)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != tt.want {
			t.Errorf("%q: got %v, %v, want %s", tt.in, got.UTC().Format(time.RFC3339Nano), err, tt.want)
		}
	}
	for _, in := range []string{
		"", " ", "ago", "2 ago", "h ago", "2h", "-2h ago", "2 fortnights ago", "tomorrow", "now 18:00", "yesterday 25:00", "today 9",
		"18:00", "2026-13-01", "2026-02-30", "10000-01-01", "1234567 days ago", "2h ago 1h ago", "24.10.2026",
	} {
		if got, err := parseMoment(in, now); !errors.Is(err, errMoment) {
			t.Errorf("%q: got %v, %v, want an error that says how times are written", in, got, err)
		}
	}
	for _, in := range []string{"1969-12-31T23:59:59Z", "0001-01-01", "999999 days ago", "999999 h ago"} {
		if got, err := parseMoment(in, now); !errors.Is(err, errEarly) {
			t.Errorf("%q: got %v, %v, want an error that it is too early", in, got, err)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"2026-10-24T18:00:00Z", "2026-10-24 18:00", "yesterday 18:00", "1h30m ago", "3 days ago", "99999999h ago"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseMoment(s, now)
		switch {
		case err != nil && !got.IsZero():
			t.Errorf("%q: got %v beside %v", s, got, err)
		case err == nil:
			again, err := parseMoment(got.Format(time.RFC3339Nano), now)
			if err != nil || !again.Equal(got) || got.IsZero() {
				t.Errorf("%q is %v, which is read as %v, %v", s, got, again, err)
			}
		}
	})
}
