package crdt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// TestElementsMakeACopyOfTheSet carries the elements of one replica to another by hand.
func TestElementsMakeACopyOfTheSet(t *testing.T) {
	c, key := newCluster(t), newKey(t)
	r := c.open(t, t.TempDir(), key)
	defer closeReplica(t, r)
	c.grant(t, r, key, "a", trust.RoleWriter)
	for i := range 5 {
		put(t, r, fmt.Sprintf("%d.json", i%2), fmt.Sprint(i))
	}
	var elements [][]byte
	err := r.Elements(t.Context(), func(element []byte) error {
		elements = append(elements, append([]byte(nil), element...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	other := c.open(t, t.TempDir(), newKey(t))
	defer closeReplica(t, other)
	if isNew, err := other.AdmitElement(t.Context(), elements[1]); err == nil {
		t.Errorf("an element without its ancestry: new %t, want an error", isNew)
	}
	for round, want := range []bool{true, false} {
		for i, element := range elements {
			if isNew, err := other.AdmitElement(t.Context(), element); isNew != want || err != nil {
				t.Errorf("round %d, element %d: new %t, %v, want %t", round, i, isNew, err, want)
			}
		}
	}
	if got, want := fmt.Sprint(other.Heads()), fmt.Sprint(r.Heads()); got != want {
		t.Errorf("heads are %s, want %s", got, want)
	}
	if got, want := other.Digest(), r.Digest(); got != want {
		t.Errorf("digest is %s, want %s", got, want)
	}
}

func TestAdmitElementRefuses(t *testing.T) {
	c, key := newCluster(t), newKey(t)
	r := c.open(t, t.TempDir(), key)
	defer closeReplica(t, r)
	c.grant(t, r, key, "a", trust.RoleWriter)
	put(t, r, "a.json", "one")
	var last []byte
	err := r.Elements(t.Context(), func(element []byte) error {
		last = append([]byte(nil), element...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	admit := func(c *testCluster, element []byte) error {
		other := c.open(t, t.TempDir(), newKey(t))
		defer closeReplica(t, other)
		_, err := other.AdmitElement(context.Background(), element)
		return err
	}
	if err := admit(newCluster(t), last); !errors.Is(err, crdt.ErrRefused) {
		t.Errorf("an element of another cluster: got %v, want a refusal", err)
	}
	last[len(last)-1] ^= 1
	if err := admit(c, last); !errors.Is(err, crdt.ErrRefused) {
		t.Errorf("an element with a forged signature: got %v, want a refusal", err)
	}
}

func TestIDsThatBeginAlikeAreToldApart(t *testing.T) {
	var ids []definition.ChangeID
	for i := range 100 {
		id := definition.ChangeID{byte(i % 3)}
		id[20] = byte(i)
		ids = append(ids, id)
	}
	if wrong := crdt.Unfound(ids); len(wrong) > 0 {
		t.Errorf("%d of %d ids are not found as they should be: %v", len(wrong), len(ids), wrong)
	}
}
