package lint

// JavaFault returns why Java would refuse a regular expression, "" if it would not or
// if that is not sure.
func JavaFault(pattern string) string { return readJavaPattern(pattern).fault }

// JavaMatches reports whether a regular expression of Java matches a text whole, and whether
// Go can say so.
func JavaMatches(pattern, text string) (matches, sure bool) {
	p := readJavaPattern(pattern)
	return p.meaning != nil && p.meaning.MatchString(text), p.meaning != nil
}
