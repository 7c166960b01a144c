package lint

import (
	"math/big"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// fieldKind is what CAS reads a field into.
type fieldKind uint8

const (
	textField fieldKind = iota + 1
	longField           // 64 bits
	intField            // 32 bits
	boolField
	objectField // of a class that it has to name
	listField   // a set or list
	mapField
	listOrMapField
)

// fieldKindOf returns what CAS reads a member of a service, or of an object in it, into:
// BaseRegisteredService and its extensions in CAS 5 to 7. Fields that changed their
// type between these versions are left out, as are all that are not known.
func fieldKindOf(key string) fieldKind {
	switch key {
	case "id":
		return longField
	case "evaluationOrder":
		return intField
	case "serviceId", "name", "description", "theme", "locale", "informationUrl", "privacyUrl", "templateName",
		"logo", "logoutUrl", "logoutType", "responseType", "clientId", "clientSecret", "metadataLocation",
		"metadataSignatureLocation", "requiredNameIdFormat":
		return textField
	case "bypassApprovalPrompt", "generateRefreshToken", "renewRefreshToken", "jwtAccessToken", "signIdToken",
		"encryptIdToken", "ssoEnabled":
		return boolField
	case "accessStrategy", "attributeReleasePolicy", "authenticationPolicy", "expirationPolicy", "matchingStrategy",
		"multifactorPolicy", "proxyPolicy", "publicKey", "usernameAttributeProvider", "acceptableUsagePolicy",
		"singleSignOnParticipationPolicy", "ticketGrantingTicketExpirationPolicy", "serviceTicketExpirationPolicy",
		"proxyTicketExpirationPolicy", "proxyGrantingTicketExpirationPolicy", "codeExpirationPolicy",
		"accessTokenExpirationPolicy", "refreshTokenExpirationPolicy", "deviceTokenExpirationPolicy":
		return objectField
	case "requiredHandlers", "environments", "contacts", "supportedGrantTypes", "supportedResponseTypes", "scopes",
		"requiredAuthenticationHandlers", "excludedAuthenticationHandlers", "multifactorAuthenticationProviders", "policies":
		return listField
	case "properties", "requiredAttributes":
		return mapField
	case "allowedAttributes":
		return listOrMapField
	}
	return 0
}

// anywhere reports whether a field is one of CAS below the service itself too. The other names
// can mean something else there.
func anywhere(key string) bool {
	switch key {
	case "ssoEnabled", "allowedAttributes", "requiredAttributes", "policies", "multifactorAuthenticationProviders",
		"requiredAuthenticationHandlers", "excludedAuthenticationHandlers":
		return true
	}
	return false
}

// fieldAt is fieldKindOf for the value at a pointer.
func fieldAt(at pointer, key string) fieldKind {
	if strings.Count(string(at), "/") > 1 && !anywhere(key) {
		return 0
	}
	return fieldKindOf(key)
}

// field looks at the value of a member.
func (c *checker) field(v definition.Value, at pointer, key string) {
	kind := fieldAt(at, key)
	if kind == 0 || v.Kind == definition.Null {
		return
	}
	isContainer := v.Kind == definition.Array || v.Kind == definition.Object
	switch kind {
	case textField:
		if isContainer {
			c.found(ruleFieldType, at, "%s is a string in CAS: write one", key)
		}
	case longField:
		c.integer(v, at, key, 64)
	case intField:
		c.integer(v, at, key, 32)
	case boolField:
		if isContainer || v.Kind == definition.String && !isBool(v.Text) {
			c.found(ruleFieldType, at, "%s is a boolean in CAS: write true or false", key)
		}
	case objectField:
		c.object(v, at, key)
	}
}

// integer looks at the value of a field that holds a number of so many bits.
func (c *checker) integer(v definition.Value, at pointer, key string, bits int) {
	n, ok := new(big.Int), false
	switch v.Kind {
	case definition.Number:
		if c.syntax == definition.YAML && !strings.ContainsAny(v.Text, ".eE") {
			return // YAML has other spellings of integers
		}
		n, ok = n.SetString(v.Text, 10)
	case definition.String: // which Jackson takes too
		n, ok = n.SetString(strings.TrimSpace(v.Text), 10)
	}
	switch {
	case !ok:
		c.found(ruleFieldType, at, "%s is an integer in CAS: write one", key)
	case n.BitLen() >= bits:
		c.found(ruleFieldType, at, "%s is an integer of %d bits in CAS: write a smaller one", key, bits)
	}
}

// object looks at the value of a field that holds an object of some class.
func (c *checker) object(v definition.Value, at pointer, key string) {
	if v.Kind != definition.Object {
		if v.Tag == "" { // an object without members can have any form in YAML
			c.found(ruleFieldType, at, "%s is an object in CAS: write one with its class", key)
		}
		return
	}
	if _, ok := v.Get(classKey); ok || v.Tag != "" {
		return
	}
	if c.syntax == definition.YAML {
		c.found(ruleClass, at, "%s has no class: put its tag !<CLASS> before it", key)
		return
	}
	c.found(ruleClass, at, "%s has no @class: add it", key)
}

func isBool(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "false", "", "yes", "no", "on", "off":
		return true
	}
	return false
}
