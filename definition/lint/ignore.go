package lint

import (
	"strings"

	"github.com/starling-sync/starling/definition"
)

// directive is what begins an ignore comment, behind the comment's own mark.
const directive = "starling:ignore"

// ignores is what the comments of a file ignore.
type ignores struct {
	file  map[string]bool         // rules, for the whole file
	lines map[int]map[string]bool // rules by line
}

func (i ignores) covers(rule string, line int) bool { return i.file[rule] || i.lines[line][rule] }

// ignores reads the ignore comments. It adds a finding for each rule that is not
// known.
func (c *checker) ignores() ignores {
	found := ignores{file: make(map[string]bool), lines: make(map[int]map[string]bool)}
	comments := c.layout.Comments()
	var next []int
	for _, comment := range comments {
		for n, text := range strings.Split(comment.Text, "\n") {
			rules, ok := ignored(text)
			if !ok {
				continue
			}
			if next == nil {
				next = c.nextLines(comments)
			}
			line := comment.Line + n
			for _, rule := range rules {
				switch {
				case !Known(rule):
					c.foundAt(ruleUnknownIgnore, "", line, comment.Column, "there is no rule of this name: see starling check --list-rules")
				case comment.Leads:
					found.file[rule] = true
				default:
					found.add(rule, line)
					if line < len(next) {
						found.add(rule, next[line])
					}
				}
			}
		}
	}
	return found
}

// nextLines returns for each line that is blank or holds a comment alone the next
// line that is not, and for each other line itself.
func (c *checker) nextLines(comments []definition.Comment) []int {
	lines := strings.Split(string(c.content), "\n")
	next := make([]int, len(lines)+1) // lines begin with 1
	alone := make([]bool, len(lines)+1)
	for i, line := range lines {
		alone[i+1] = strings.TrimSpace(line) == ""
	}
	for _, comment := range comments {
		for n, text := range strings.Split(comment.Text, "\n") {
			line := comment.Line + n
			if line <= len(lines) && strings.TrimSpace(lines[line-1]) == strings.TrimSpace(text) {
				alone[line] = true
			}
		}
	}
	following := 0 // none
	for line := len(lines); line > 0; line-- {
		if !alone[line] {
			following = line
		}
		next[line] = following
	}
	return next
}

func (i ignores) add(rule string, line int) {
	if i.lines[line] == nil {
		i.lines[line] = make(map[string]bool)
	}
	i.lines[line][rule] = true
}

// ignored returns the rules that one line of a comment names.
func ignored(text string) (rules []string, ok bool) {
	text = strings.TrimLeft(text, "#/* \t")
	text, ok = strings.CutPrefix(text, directive)
	if !ok || text == "" || text[0] != ' ' && text[0] != '\t' {
		return nil, false
	}
	names, _, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "*/")), " ")
	for name := range strings.SplitSeq(names, ",") {
		if name != "" {
			rules = append(rules, name)
		}
	}
	return rules, len(rules) > 0
}
