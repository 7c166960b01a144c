package main

import (
	"errors"
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestVerdict(t *testing.T) {
	equal := api.MemberVerdict{Name: "equal", Answered: true, SetEqual: true, ViewEqual: true, DirectoryEqual: true}
	different := api.MemberVerdict{Name: "different", Answered: true, SetEqual: true, ViewEqual: true, Difference: "a.json is missing"}
	silent := api.MemberVerdict{Name: "silent"}
	for _, tt := range []struct {
		name string
		v    api.Verification
		code int
		text string
	}{
		{"all equal", api.Verification{Equal: true, Members: []api.MemberVerdict{equal}}, exitOK, ""},
		{"a difference", api.Verification{Members: []api.MemberVerdict{equal, different}}, exitProblem, "different differs: a.json is missing"},
		{"a silent member", api.Verification{Members: []api.MemberVerdict{silent, equal}}, exitUnreachable, "did not answer: silent"},
		{"both", api.Verification{Members: []api.MemberVerdict{silent, different}}, exitProblem, "different differs: a.json is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := verdict(tt.v)
			if tt.code == exitOK {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			got, ok := errors.AsType[*exit](err)
			if !ok || got.code != tt.code || got.Error() != tt.text {
				t.Errorf("got %v, want code %d, %q", err, tt.code, tt.text)
			}
		})
	}
}
