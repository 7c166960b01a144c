package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// momentForms are the ways to write a time, for help and errors.
const momentForms = `2026-11-24, "2026-11-24 18:00", 2026-11-24T18:00:00Z, "today 9:00", "yesterday 18:00", "2h ago", "3 days ago"`

// moment is a time as people write it, in the local zone where they name none; a
// flag's value. The zero moment was not given.
type moment struct{ time.Time }

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339Nano)
}

func (m *moment) Type() string { return "time" }

// Set implements pflag.Value.
func (m *moment) Set(s string) error {
	t, err := parseMoment(s, time.Now())
	m.Time = t
	return err
}

var (
	errMoment = errors.New("write it as one of " + momentForms)
	errEarly  = errors.New("it is before 1970, when clocks begin")
)

// parseMoment returns the time that s means at the time now, whose zone is that of
// times without one. It is not before 1970, nor after the year 9999.
func parseMoment(s string, now time.Time) (time.Time, error) {
	words := strings.Join(strings.Fields(s), " ")
	for _, parse := range []func(string, time.Time) (time.Time, bool){parseDate, parseDay, parseAgo} {
		t, ok := parse(words, now)
		switch {
		case !ok:
		case t.Before(time.Unix(0, 0)):
			return time.Time{}, errEarly
		case t.Year() <= 9999: // else it cannot be written
			return t, nil
		}
	}
	return time.Time{}, errMoment
}

// parseDate parses a date, with or without a time of the day and a zone.
func parseDate(s string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseDay parses "now", and "today" or "yesterday" with or without a time of the day.
func parseDay(s string, now time.Time) (time.Time, bool) {
	day, clock, hasClock := strings.Cut(s, " ")
	var ago int
	switch strings.ToLower(day) {
	case "now":
		return now, !hasClock
	case "today":
	case "yesterday":
		ago = 1
	default:
		return time.Time{}, false
	}
	var of time.Time
	if hasClock {
		var err error
		if of, err = time.Parse("15:04:05", clock); err != nil {
			if of, err = time.Parse("15:04", clock); err != nil {
				return time.Time{}, false
			}
		}
	}
	year, month, date := now.Date()
	return time.Date(year, month, date-ago, of.Hour(), of.Minute(), of.Second(), of.Nanosecond(), now.Location()), true
}

// agoForm is a number of six digits at the most, so that no sum of them overflows.
var agoForm = regexp.MustCompile(`^(?i)([0-9]{1,6}) ?(s|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?) ago$`)

// parseAgo parses a length of time before now. Days are those of the calendar: a day
// ago is the same time of the day, though clocks were changed in between.
func parseAgo(s string, now time.Time) (time.Time, bool) {
	parts := agoForm.FindStringSubmatch(s)
	if parts == nil {
		length, ok := strings.CutSuffix(s, " ago")
		if !ok {
			return time.Time{}, false
		}
		d, err := time.ParseDuration(length) // such as 1h30m
		return now.Add(-d), err == nil && d >= 0
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	switch strings.ToLower(parts[2])[0] {
	case 'w':
		return now.AddDate(0, 0, -7*n), true
	case 'd':
		return now.AddDate(0, 0, -n), true
	case 'h':
		return now.Add(-time.Duration(n) * time.Hour), true
	case 'm':
		return now.Add(-time.Duration(n) * time.Minute), true
	default:
		return now.Add(-time.Duration(n) * time.Second), true
	}
}

// momentHelp describes a flag that takes a time.
func momentHelp(what string) string { return fmt.Sprintf("%s, such as %s", what, momentForms) }
