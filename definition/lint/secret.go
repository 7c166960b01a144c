package lint

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/starling-sync/starling/definition"
)

// secretKey is how keys end whose values are secrets, in lower case and without what
// separates words. Longer keys with more behind (passwordPolicy, tokenType) are
// about secrets and hold none.
var secretKey = regexp.MustCompile(`(^|client|shared|consumer|app|api)secret$|(secret|private|signing|encryption|api)key$|password$|passphrase$|passwd$|(bearer|access|auth|api)token$`)

// isAttributeMap reports whether a member's keys and values are names of attributes, such as
// a userPassword that is released.
func isAttributeMap(key string) bool {
	switch key {
	case "allowedAttributes", "requiredAttributes", "rejectedAttributes", "defaultAttributes", "attributeFilter":
		return true
	}
	return false
}

// secret looks at whether a value is a secret in clear. What it finds is never quoted.
func (c *checker) secret(v definition.Value, at pointer, key string) {
	if v.Kind == definition.Object {
		c.property(v, at)
	}
	if v.Kind != definition.String && v.Kind != definition.Number {
		return
	}
	const instead = "keep it elsewhere and refer to it, or let CAS encrypt it"
	switch {
	case strings.Contains(v.Text, "PRIVATE KEY-----"):
		c.found(ruleSecret, at, "a private key is there in clear: "+instead)
	case strings.Contains(v.Text, `"kty"`) && hasPrivateKey(v.Text):
		c.found(ruleSecret, at, "a private key (JWK) is there in clear: "+instead)
	case isSecretKey(key) && inClear(v.Text):
		c.found(ruleSecret, at, "the value of %s is there in clear: "+instead, key)
	case strings.Contains(v.Text, "://") && key != "serviceId" && hasURLPassword(v.Text):
		c.found(ruleSecret, at, "the URL holds a password in clear: "+instead)
	}
}

// property looks at the properties of a service, whose names say what their values are:
// {"@class": "...DefaultRegisteredServiceProperty", "values": ["java.util.HashSet", ["..."]]}.
func (c *checker) property(v definition.Value, at pointer) {
	for _, m := range v.Members {
		values, ok := m.Value.Get("values")
		if !ok || !isSecretKey(m.Key) {
			continue
		}
		where := at.key(m.Key).key("values")
		if typed, ok := values.TypedCollection(); ok {
			if values.Kind == definition.Array && values.Tag == "" {
				where = where.item(1)
			}
			values = typed.Elements
		}
		for i, value := range values.Items {
			if value.Kind == definition.String && inClear(value.Text) {
				c.found(ruleSecret, where.item(i), "the value of %s is there in clear: keep it elsewhere and refer to it", m.Key)
			}
		}
	}
}

func isSecretKey(key string) bool {
	return key != "" && secretKey.MatchString(strings.Map(func(c rune) rune {
		switch c {
		case '-', '_', '.':
			return -1
		}
		return unicode.ToLower(c)
	}, key))
}

// protected is the form of what is no secret in clear: encrypted or hashed with the
// scheme in braces, a hash of crypt, a JWE or JWT, a reference to the environment, to SpEL
// or to a file, a placeholder, stars.
var protected = regexp.MustCompile(`^(\{[\w.-]+\}.*|\$\w{1,10}\$.*|ey[\w-]+\.[\w.-]*|.*[$#%{]\{.*\}.*|\$\w+|%\w+%|<.*>|\[.*\]|@[\w.-]+@|__\w+__|(env|file|vault|classpath|ref|ssm|secret|secretref):.*|[*x.]+)$`)

// hash is the form of a digest in hexadecimal digits. It may be a random secret as well, but
// nobody can tell.
var hash = regexp.MustCompile(`^(?i)([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$`)

func inClear(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && !protected.MatchString(text) && !hash.MatchString(text)
}

// hasPrivateKey reports whether a text is a JSON Web Key, or a set of them, with a
// private part.
func hasPrivateKey(text string) bool {
	type key struct {
		D string `json:"d"` // RFC 7518, 6.2.2 and 6.3.2
		K string `json:"k"` // 6.4
	}
	var set struct {
		key
		Keys []key `json:"keys"`
	}
	if json.Unmarshal([]byte(text), &set) != nil {
		return false
	}
	for _, k := range append(set.Keys, set.key) {
		if k.D != "" || k.K != "" {
			return true
		}
	}
	return false
}

// hasURLPassword reports whether a text is a URL with a password that is no
// placeholder.
func hasURLPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return false
	}
	password, ok := u.User.Password()
	return ok && inClear(password)
}
