package oracle

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// Answer is what a set of elements comes to.
type Answer struct {
	// Files holds every path that some change of the part names.
	Files map[definition.Path]File
	// Members holds every key that was ever granted.
	Members map[peer.ID]Member
}

// File is what the directory should hold for one path.
type File struct {
	// Present says whether the directory should hold a file.
	Present bool
	// Content is the file's bytes; nil if it is absent or merged.
	Content []byte
	// Fields are what a merged file holds, if it is a flat object: the text of
	// each value by its key. Of other merged files the oracle knows only that they
	// are there; Accepts judges all.
	Fields map[string]string
	// Heads are the versions that count and are no ancestor of another that
	// counts, latest first by (time, change id).
	Heads []definition.Version
}

// Member is one node key.
type Member struct {
	Name    string
	Role    trust.Role // the highest granted
	Revoked bool
}

// Compute says what the elements come to. It fails only for bytes that are no
// element.
func Compute(elements [][]byte) (Answer, error) {
	return ComputePart(elements, func(definition.ChangeID) bool { return true })
}

// ComputePart says what a part of the changes comes to, under all statements. The
// part must hold the ancestors of what it holds.
func ComputePart(elements [][]byte, part func(definition.ChangeID) bool) (Answer, error) {
	s, err := read(elements)
	if err != nil {
		return Answer{}, fmt.Errorf("compute the oracle's answer: %w", err)
	}
	s.part = part
	return Answer{Files: s.files(), Members: s.members()}, nil
}

func (s *set) members() map[peer.ID]Member {
	members := make(map[peer.ID]Member)
	for _, g := range s.grants {
		if m, ok := members[g.Member]; !ok || m.Role < g.Role {
			members[g.Member] = Member{Name: g.Name, Role: g.Role}
		}
	}
	for _, r := range s.revocations {
		if m, ok := members[r.Member]; ok {
			m.Revoked = true
			members[r.Member] = m
		}
	}
	return members
}
