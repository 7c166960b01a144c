package definition

import (
	"slices"
	"strings"
)

// accessFields are the members of a definition of Apereo CAS by which it decides who may log in, and
// what a service learns of them, whatever holds them. The value says whether the member is a
// collection even if it is an object that does not say its class; the others
// are policies.
var accessFields = map[string]bool{
	"accessStrategy":                     false,
	"attributeReleasePolicy":             false,
	"authenticationPolicy":               false,
	"delegatedAuthenticationPolicy":      false,
	"multifactorPolicy":                  false,
	"proxyPolicy":                        false,
	"singleSignOnParticipationPolicy":    false,
	"surrogatePolicy":                    false,
	"consentPolicy":                      false,
	"allowedAttributes":                  true,
	"allowedProviders":                   true,
	"excludedAttributes":                 true,
	"excludedAuthenticationHandlers":     true,
	"multifactorAuthenticationProviders": true,
	"rejectedAttributes":                 true,
	"requiredAttributes":                 true,
	"requiredAuthenticationHandlers":     true,
	"requiredHandlers":                   true,
}

// decidesAccess reports whether access is decided at and below a member.
func decidesAccess(key string) bool {
	_, ok := accessFields[key]
	return ok || strings.HasSuffix(key, "AccessStrategy") || strings.HasSuffix(key, "ReleasePolicy")
}

// scope says where a merge is.
type scope struct {
	decides bool // at or below what decides access
	judged  bool // and in a collection there, of which it is known that it can be merged
}

// isBean reports whether an object at the present place is no collection, but has fields of a
// class.
func (m *merger) isBean(n *node) bool {
	key := ""
	if len(m.at) > 0 {
		key = m.at[len(m.at)-1]
	}
	return n.kind == Object && isBean(n, key)
}

func isBean(n *node, key string) bool {
	switch {
	case n.kind != Object:
		return false
	case n.class != "":
		return collectionKind(n.class) == 0
	}
	return decidesAccess(key) && !accessFields[key]
}

// leaning is what the two sides of a merge, the later first, did to a collection.
type leaning struct {
	added   [2]bool // something that the other did not add
	removed [2]bool
}

// opposed reports whether one side added to a collection and the other removed from it, or both made
// it, not equally. Each made it wider or narrower on its own; both together let in or shut
// out whom neither meant to.
func (m *merger) opposed(b, l, e *node) bool {
	if b == nil || b.kind == Null {
		return true
	}
	var d leaning
	m.lean(&d, b, [2]*node{l, e})
	return d.added[0] && d.removed[1] || d.added[1] && d.removed[0]
}

// replaced notes that a side has something else than the base; the other may have the same.
func (d *leaning) replaced(side int, is, other *node) {
	d.removed[side] = true
	d.added[side] = d.added[side] || other == nil || other.id != is.id
}

// lean adds up what two sides did to a collection and to those in it. The sides have its form.
func (m *merger) lean(d *leaning, b *node, sides [2]*node) {
	switch {
	case b.collection != 0:
		m.lean(d, b.elements(), [2]*node{sides[0].elements(), sides[1].elements()})
	case b.kind == Object:
		m.leanMembers(d, b, sides)
	default:
		m.leanItems(d, b, sides)
	}
}

func (m *merger) leanMembers(d *leaning, b *node, sides [2]*node) {
	of := [2]members{membersOf(sides[0]), membersOf(sides[1])}
	inBase := membersOf(b)
	for i := range b.kids {
		kid := &b.kids[i]
		if kid.key == classKey {
			continue
		}
		var now [2]*node
		for side := range now {
			now[side], _ = of[side].get(kid.key)
		}
		m.leanTo(d, kid, now, kid.key)
	}
	for side, n := range sides {
		for i := range n.kids {
			kid := &n.kids[i]
			if was, _ := inBase.get(kid.key); was == nil && kid.key != classKey {
				other, _ := of[1-side].get(kid.key)
				d.added[side] = d.added[side] || other == nil || other.id != kid.id
			}
		}
	}
}

// demands reports whether the present place is in attributes that are demanded of whoever logs in,
// so that even another value for one of them makes wider or narrower.
func (m *merger) demands() bool {
	return slices.Contains(m.at, "requiredAttributes") || slices.Contains(m.at, "rejectedAttributes")
}

// leanTo adds what became of one thing in a collection; nil if it was removed.
func (m *merger) leanTo(d *leaning, was *node, now [2]*node, key string) {
	deeper := [2]*node{was, was}
	goes := false
	for side, is := range now {
		switch {
		case is == nil:
			d.removed[side] = true
		case is.id == was.id:
		case key != "" && !was.isContainer() && !is.isContainer() && !m.demands():
			// Another value for a key lets in or shuts out nobody by itself.
		case !was.isContainer() || !sameForm(was, is) || isBean(was, key) != isBean(is, key):
			d.replaced(side, is, now[1-side])
		case !isBean(was, key): // what a bean has is no matter of this collection
			deeper[side], goes = is, true
		}
	}
	if goes {
		m.lean(d, was, deeper)
	}
}

// sameForm reports whether two containers hold their kids in the same way.
func sameForm(a, b *node) bool {
	return a.kind == b.kind && (a.collection == 0) == (b.collection == 0) && (a.collection == 0 || a.elements().kind == b.elements().kind)
}

func (m *merger) leanItems(d *leaning, b *node, sides [2]*node) {
	tokens := m.tokens(b.kids, sides[0].kids, sides[1].kids)
	matchings, ok := matchBoth(b.kids, sides[0].kids, sides[1].kids, tokens)
	if !ok {
		d.added, d.removed = [2]bool{true, true}, [2]bool{true, true}
		return
	}
	for i := range b.kids {
		was := &b.kids[i]
		var now [2]*node
		for side, n := range sides {
			now[side] = itemAt(n.kids, matchings[side].to[i])
		}
		m.leanTo(d, was, now, "")
	}
	for side, n := range sides {
		other := make(map[int]bool)
		for j, from := range matchings[1-side].from {
			if from < 0 {
				other[sides[1-side].kids[j].id] = true
			}
		}
		for j, from := range matchings[side].from {
			d.added[side] = d.added[side] || from < 0 && !other[n.kids[j].id]
		}
	}
}
