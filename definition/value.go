package definition

// Kind is the type of a Value.
type Kind uint8

// The types of JSON, which HJSON and YAML share. The zero Kind is no value.
const (
	Null Kind = iota + 1
	Bool
	Number
	String
	Array
	Object
)

// Value is one node of a document's tree, to be read only. A YAML alias appears as
// the value that it refers to.
type Value struct {
	Kind Kind

	// Text is a string's characters after unescaping, or a number, true, false
	// or null as written. Numbers are never converted: ids of CAS pass 2^53.
	Text string
	// Items are an array's, in order.
	Items []Value
	// Members are an object's, in the order of the file; no two keys are equal.
	Members []Member

	// Tag is an explicit YAML tag without its marks, such as the class name
	// org.apereo.cas.services.CasRegisteredService; tags of YAML's own types
	// are left out.
	Tag string

	// Start and End delimit the value's own text in the content of JSON and
	// HJSON, in bytes: content[Start:End]. Both are 0 in YAML.
	Start, End int
}

// Member is one key of an object with its value.
type Member struct {
	Key   string
	Value Value
	// Start and End delimit the key's text, quotes included, like a Value's.
	Start, End int
}

// Get returns the value of an object's member. It reports false if v is no object
// or has no such member.
func (v Value) Get(key string) (Value, bool) {
	for _, m := range v.Members {
		if m.Key == key {
			return m.Value, true
		}
	}
	return Value{}, false
}
