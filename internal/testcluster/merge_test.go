package testcluster_test

import (
	"strings"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
)

// attributes is a service with a comment, a description and a set of allowed
// attributes.
func attributes(description, theme string, allowed ...string) string {
	return `{
  // the intranet's front door
  "@class": "org.apereo.cas.services.CasRegisteredService",
  "serviceId": "^https://intranet[.]example[.]org/.*",
  "name": "Intranet",
  "id": 1000,
  "description": "` + description + `",
  "theme": "` + theme + `",
  "attributeReleasePolicy": {
    "@class": "org.apereo.cas.services.ReturnAllowedAttributeReleasePolicy",
    "allowedAttributes": ["java.util.ArrayList", [
      "` + strings.Join(allowed, "\",\n      \"") + `"
    ]]
  }
}
`
}

func TestEditsApartMergeByField(t *testing.T) {
	const name = "Intranet-1000.json"
	c := testcluster.New(t, 3, testcluster.Options{Cuttable: true, Files: map[string]string{
		name: attributes("old", "plain", "uid", "mail"),
	}})
	c.Settle()
	c.Disconnect(1)
	c.Disconnect(2)
	c.Write(0, name, attributes("new", "plain", "uid", "mail"))
	c.Imported(0)
	c.Write(1, name, attributes("old", "dark", "uid", "mail", "phone"))
	c.Imported(1)
	c.Write(2, name, attributes("old", "plain", "groups", "uid", "mail"))
	c.Imported(2)
	c.Heal()
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, name), attributes("new", "dark", "groups", "uid", "mail", "phone"); got != want {
			t.Errorf("%s on node %d is\n%s\nwant\n%s", name, i, got, want)
		}
		conflicts(t, c, i, 0)
	}
}
