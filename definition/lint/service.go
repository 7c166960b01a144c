package lint

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// serviceSuffix is how the names of all classes of CAS's services end.
const serviceSuffix = "RegisteredService"

// isService reports whether a document is meant to be a service of CAS: its class says so,
// or it has a serviceId beside a class or a numeric id.
func isService(doc definition.Document) bool {
	service := doc.Service()
	class, hasClass := service.Class()
	if strings.HasSuffix(class, serviceSuffix) {
		return true
	}
	_, hasServiceID := doc.Root().Get("serviceId")
	_, hasID := service.ID()
	return hasServiceID && (hasClass || hasID)
}

// service applies the rules of a service of CAS.
func (c *checker) service(doc definition.Document) {
	c.root(doc)
	c.walk(doc.Root(), "", "", false)
	c.pattern(doc)
	c.name(doc.Service())
}

// root looks at what CAS knows a service by.
func (c *checker) root(doc definition.Document) {
	root := doc.Root()
	_, hasClass := root.Get(classKey)
	switch {
	case c.syntax != definition.YAML:
		if !hasClass {
			c.found(ruleClass, "", "@class is missing: add the service's class, such as org.apereo.cas.services.CasRegisteredService")
		}
	case !bytes.HasPrefix(bytes.TrimLeft(c.content, " \t\r\n"), []byte("--- !<")):
		c.found(ruleYAMLTag, "", "CAS reads a YAML file only if it begins with --- !<CLASS>: put that tag first, comments behind it")
	}
	_, isTemplated := root.Get("templateName")
	for _, field := range []string{"id", "serviceId"} {
		if v, ok := root.Get(field); !isTemplated && (!ok || v.Kind == definition.Null) {
			c.found(ruleMissingField, "", "%s is missing: add it", field)
		}
	}
	c.id, _ = doc.Service().ID()
}

// classKey is the member that names an object's Java class.
const classKey = "@class"

// className is the form of a Java class's full name.
var className = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*)+$`)

// walk looks at a value and all below it. The key is that of the member that it is the
// value of, else empty; attributes says that names of attributes are there, and no secrets.
func (c *checker) walk(v definition.Value, at pointer, key string, attributes bool) {
	if len(c.findings) > MaxFindings {
		return
	}
	c.class(v, at)
	c.collection(v, at, key)
	c.field(v, at, key)
	if !attributes {
		c.secret(v, at, key)
	}
	if v.Kind == definition.String && c.syntax == definition.HJSON {
		c.bareString(v, at, key)
	}
	attributes = attributes || isAttributeMap(key)
	for i, item := range v.Items {
		c.walk(item, at.item(i), "", attributes)
	}
	for _, m := range v.Members {
		c.walk(m.Value, at.key(m.Key), m.Key, attributes)
	}
}

// class looks at the class that a value says it has.
func (c *checker) class(v definition.Value, at pointer) {
	member, ok := v.Get(classKey)
	switch {
	case v.Tag != "" && ok && member.Text != v.Tag:
		c.found(ruleYAMLTag, at, "the tag and @class name two classes: remove one")
	case v.Tag != "" && !className.MatchString(v.Tag):
		c.found(ruleYAMLTag, at, "the tag is no full name of a Java class, such as org.apereo.cas.services.CasRegisteredService")
	case ok && (member.Kind != definition.String || !className.MatchString(member.Text)):
		c.found(ruleClass, at.key(classKey), "this is no full name of a Java class, such as org.apereo.cas.services.CasRegisteredService")
	}
}

// bareString looks at a string without quotes. A text for people may hold anything.
func (c *checker) bareString(v definition.Value, at pointer, key string) {
	if first := c.content[v.Start]; first == '"' || first == '\'' || key == "name" || key == "description" {
		return
	}
	switch {
	case strings.HasSuffix(v.Text, ","):
		c.found(ruleBareString, at, "the comma is part of the string, which goes on to the end of the line: put the string in quotes")
	case strings.Contains(v.Text, " # "), strings.Contains(v.Text, " // "), strings.Contains(v.Text, " /* "):
		c.found(ruleBareString, at, "the comment is part of the string, which goes on to the end of the line: put the string in quotes")
	}
}
