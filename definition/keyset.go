package definition

import "fmt"

// tooDeepText says of an object or array that it exceeds maxDepth.
func tooDeepText() string {
	return fmt.Sprintf("objects and arrays nest too deeply: at most %d may be inside one another", maxDepth)
}

// keySet finds equal keys of one object while its members are collected. Most
// objects are small, so it is only a loop until there are many.
type keySet struct{ index map[string]int }

// add records the key of the member that comes after members, or returns the index
// of the one that has the same key.
func (s *keySet) add(members []Member, key string) (first int, twice bool) {
	const many = 16
	if len(members) < many {
		for i := range members {
			if members[i].Key == key {
				return i, true
			}
		}
		return 0, false
	}
	if s.index == nil {
		s.index = make(map[string]int, 2*many)
		for i := range members {
			s.index[members[i].Key] = i
		}
	}
	if first, twice = s.index[key]; !twice {
		s.index[key] = len(members)
	}
	return first, twice
}

// duplicateText says of a key that it came first on a line.
func duplicateText(line int) string {
	return fmt.Sprintf("the object has this key already, on line %d", line)
}
