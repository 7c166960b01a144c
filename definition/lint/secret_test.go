package lint_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition/lint"
)

func TestClearSecret(t *testing.T) {
	for secret, at := range map[string]string{
		`"clientSecret": "opensesame"`:                                                    "3:19 /clientSecret",
		`"clientSecret": 123456`:                                                          "3:19 /clientSecret",
		`"clientSecret": "$opensesame!"`:                                                  "3:19 /clientSecret",
		`"a": {"@class": "org.example.A", "basicAuthPassword": "opensesame"}`:             "3:57 /a/basicAuthPassword",
		`"a": {"@class": "org.example.A", "signing-key": "opensesame"}`:                   "3:51 /a/signing-key",
		`"a": {"@class": "org.example.A", "API_KEY": "opensesame"}`:                       "3:47 /a/API_KEY",
		`"logoutUrl": "https://user:opensesame@example.org/"`:                             "3:16 /logoutUrl",
		`"note": "-----BEGIN RSA PRIVATE KEY-----\nopensesame"`:                           "3:11 /note",
		`"jwks": "{\"keys\": [{\"kty\": \"RSA\", \"n\": \"x\", \"d\": \"opensesame\"}]}"`: "3:11 /jwks",
		`"jwks": "{\"kty\": \"oct\", \"k\": \"opensesame\"}"`:                             "3:11 /jwks",
		`"properties": {"@class": "java.util.HashMap", "accessTokenAsJwtSigningKey": {"@class": "org.example.P", "values": ["java.util.HashSet", ["opensesame"]]}}`: "3:140 /properties/accessTokenAsJwtSigningKey/values/1/0",
	} {
		content := service(secret)
		wantFindings(t, "app-7.json", content, "clear-secret "+at)
		said, err := json.Marshal(lint.Check(mustPath(t, "app-7.json"), []byte(content)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(said), "opensesame") || strings.Contains(string(said), "123456") {
			t.Errorf("the secret is told: %s", said)
		}
	}
	for _, right := range []string{
		`"clientSecret": ""`, `"clientSecret": "{cas-cipher}ab3/d="`, `"clientSecret": "{bcrypt}abc"`, `"clientSecret": "$2a$10$abcdefghijklmnopqrstuv"`,
		`"clientSecret": "${APP_SECRET}"`, `"clientSecret": "#{environment['APP']}"`, `"clientSecret": "{{ app_secret }}"`, `"clientSecret": "$APP_SECRET"`, `"clientSecret": "<a secret>"`,
		`"clientSecret": "eyJhbGciOiJkaXIifQ..x.y.z"`, `"clientSecret": "env:APP"`, `"clientSecret": "********"`, `"clientSecret": "@app.secret@"`,
		`"clientSecret": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"`,
		`"tokenType": "http://docs.example.org/token#1"`, `"usernameAttribute": "password"`, `"passwordPolicy": "strict"`, `"tokenEndpointAuthenticationMethod": "client_secret_basic"`,
		`"jwtAccessToken": true`, `"generateRefreshToken": true`, `"clientSecretExpiration": 0`,
		`"a": {"@class": "org.example.A", "allowedAttributes": {"@class": "java.util.TreeMap", "userPassword": "pw"}}`,
		`"a": {"@class": "org.example.A", "authorizedToReleaseCredentialPassword": false}`,
		`"logoutUrl": "https://user@example.org/"`, `"logoutUrl": "https://user:${PW}@example.org/"`,
		`"jwks": "{\"keys\": [{\"kty\": \"RSA\", \"n\": \"x\", \"e\": \"AQAB\"}]}"`, `"jwks": "file:/etc/cas/keys.jwks"`,
		`"publicKey": {"@class": "org.example.K", "location": "classpath:key.pub"}`,
		`"properties": {"@class": "java.util.HashMap", "jwtSigningKey": {"@class": "org.example.P", "values": ["java.util.HashSet", ["${KEY}"]]}}`,
	} {
		wantFindings(t, "app-7.json", service(right))
	}
	wantFindings(t, "app-7.json", `{"id": 1, "clientSecret": "opensesame"}`) // no service
}
