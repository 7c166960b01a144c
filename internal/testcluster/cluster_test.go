package testcluster_test

import (
	"fmt"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
)

// service is a definition with an id and some text that tells it from others.
func service(id int, text string) string {
	return fmt.Sprintf("{\n  \"@class\": \"org.apereo.cas.services.RegexRegisteredService\",\n  \"serviceId\": \"^https://app%d.example.org/.*\",\n  \"name\": %q,\n  \"id\": %d\n}\n", id, text, id)
}

func TestAnyNodeMayEdit(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Files: map[string]string{"First-1.json": service(1, "first")}})
	for i := range c.Len() {
		c.Write(i, fmt.Sprintf("Of-%d.json", 10+i), service(10+i, "by a rename"))
		c.WriteInPlace(i, fmt.Sprintf("sub/folder/Of-%d.json", 20+i), service(20+i, "in place"))
	}
	c.Settle()
	c.Write(2, "First-1.json", service(1, "changed"))
	c.Remove(1, "Of-10.json")
	c.Rename(0, "Of-11.json", "Moved-11.json")
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, "First-1.json"), service(1, "changed"); got != want {
			t.Errorf("First-1.json on node %d is %q, want %q", i, got, want)
		}
		if got, err := c.Node(i).Dir.Files(); err != nil || len(got) != 6 {
			t.Errorf("node %d has %d files (%v), want 6", i, len(got), err)
		}
	}
}
