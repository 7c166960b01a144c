package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

//go:generate go test -count=1 -run ^TestSchemas$ -update .

var update = flag.Bool("update", false, "write the schemas anew")

// schemaDir is where the schemas are published.
const schemaDir = "../../api/schema"

// printed is what each command prints with -o json: one of these types. Whoever adds a
// command adds it here, or to printsNoJSON.
func printed() map[string][]any {
	return map[string][]any{
		"approve":        {api.ApprovalList{}, api.Decided{}},
		"blame":          {api.Blame{}},
		"check":          {checked{}, ruleList{}},
		"conflicts":      {api.ConflictList{}},
		"conflicts show": {api.Dispute{}},
		"diff":           {api.Difference{}, textDifference{}, api.DriftList{}, textDriftList{}},
		"export":         {exported{}},
		"init":           {identity{}},
		"invite":         {invited{}},
		"join":           {identity{}},
		"log":            {api.ChangeList{}, api.Change{}}, // of --follow each line is a change
		"ls":             {api.DefinitionList{}},
		"mark":           {api.Marked{}},
		"peers":          {api.PeerList{}},
		"put":            {edited{}},
		"resolve":        {resolution{}},
		"revert":         {edited{}, api.Reverted{}},
		"revoke":         {api.RevocationEffect{}},
		"rm":             {edited{}},
		"rollback":       {edited{}, api.Reverted{}},
		"rules":          {api.Rules{}},
		"show":           {api.ShownChange{}},
		"status":         {api.Status{}},
		"verify":         {api.Verification{}},
		"version":        {versions{}},
		"watch":          {api.Change{}}, // on each line, whatever -o says
	}
}

// printsNoJSON are the commands that print bytes, help or nothing.
func printsNoJSON() []string {
	return []string{"authority", "authority export", "authority import", "cat", "refill", "run"}
}

// schemaOf returns the schema (JSON Schema 2020-12) of what a command prints. A strict
// one allows no fields but those that it names: what is published leaves room for later
// versions.
func schemaOf(command string, strict bool) ([]byte, error) {
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	var forms []*huma.Schema
	for _, v := range printed()[command] {
		forms = append(forms, registry.Schema(reflect.TypeOf(v), true, ""))
	}
	if !strict {
		for _, s := range registry.Map() {
			if s.AdditionalProperties == false {
				s.AdditionalProperties = nil
			}
		}
	}
	document := struct {
		Dialect string                  `json:"$schema"`
		Title   string                  `json:"title"`
		AnyOf   []*huma.Schema          `json:"anyOf"` //nolint:tagliatelle // JSON Schema's word
		Defs    map[string]*huma.Schema `json:"$defs"`
	}{"https://json-schema.org/draft/2020-12/schema", "What starling " + command + " prints as JSON", forms, registry.Map()}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(document)
	return out.Bytes(), err
}

// TestSchemas holds the published schemas beside the code that makes them.
func TestSchemas(t *testing.T) {
	want := make(map[string][]byte)
	for command := range printed() {
		schema, err := schemaOf(command, false)
		if err != nil {
			t.Fatal(err)
		}
		want[strings.ReplaceAll(command, " ", "-")+".json"] = schema
		if _, err := compile(schema); err != nil {
			t.Errorf("the schema of %s is none: %v", command, err)
		}
	}
	published, err := filepath.Glob(filepath.Join(schemaDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range published {
		if want[filepath.Base(file)] == nil && *update {
			err = errors.Join(err, os.Remove(file))
		} else if want[filepath.Base(file)] == nil {
			t.Errorf("%s is of no command: make generate", file)
		}
	}
	for name, schema := range want {
		file := filepath.Join(schemaDir, name)
		if *update {
			err = errors.Join(err, os.WriteFile(file, schema, 0o644))
			continue
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, schema) {
			t.Errorf("%s is not what the command prints (%v): make generate, and review the difference", file, err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryCommandHasASchema: or is known to print no JSON; and a script runs it with -o
// json, which checks that it prints what its schema says.
func TestEveryCommandHasASchema(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, script := range scripts {
		content, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(content)
	}
	known := printed()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		command := commandOf(c)
		if command == "" || !c.Runnable() || slices.Contains(printsNoJSON(), command) {
			return
		}
		if known[command] == nil {
			t.Errorf("%s has no schema: add what it prints to printed, and make generate", command)
		}
		call := "starling " + strings.ReplaceAll(command, " ", " .*") + " .*-o json"
		if command == "watch" {
			call = "starling watch "
		}
		if !regexp.MustCompile(call).MatchString(text.String()) {
			t.Errorf("no script runs %s with -o json", command)
		}
		delete(known, command)
	}
	walk(new(program).command())
	for command := range known {
		t.Errorf("there is no command %s", command)
	}
}

// TestEveryCommandMeetsHostileNames: the script of hostile names calls each command that
// prints what somebody else wrote; what any script's command prints is checked by checkLegible.
func TestEveryCommandMeetsHostileNames(t *testing.T) {
	script, err := os.ReadFile("testdata/hostile.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		command := commandOf(c)
		if command == "" || !c.Runnable() || slices.Contains([]string{"authority", "authority export", "authority import", "version", "rules"}, command) {
			return // they print nothing that others wrote
		}
		if !regexp.MustCompile("(?m)^(exec|code [0-9]|until( -out [^ ]+)?) starling " + command + " ").Match(script) {
			t.Errorf("testdata/hostile.txtar does not call %s", command)
		}
	}
	walk(new(program).command())
}

// commandOf returns the name of a command, empty for the program itself.
func commandOf(c *cobra.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "starling"))
}

// asked returns the command that is called if it is to print JSON, else nothing.
func asked(args []string) string {
	p := new(program)
	c, rest, err := p.command().Find(args)
	if err != nil || c.ParseFlags(rest) != nil {
		return "" // and it said so
	}
	command := commandOf(c)
	prints := p.output == outputJSON
	if command == "watch" {
		prints = c.ArgsLenAtDash() < 0 // else it is its command that prints
	}
	if !prints || printed()[command] == nil {
		return ""
	}
	return command
}

// checkPrinted checks what a command printed against its schema, if it was to print JSON
// and printed anything.
func checkPrinted(args []string, out []byte) error {
	command := asked(args)
	if command == "" || len(out) == 0 {
		return nil
	}
	text, err := schemaOf(command, true)
	if err != nil {
		return err
	}
	schema, err := compile(text)
	if err != nil {
		return err
	}
	for values := json.NewDecoder(bytes.NewReader(out)); ; {
		values.UseNumber()
		var value any
		switch err := values.Decode(&value); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s printed no JSON: %w", command, err)
		}
		if err := schema.Validate(value); err != nil {
			return fmt.Errorf("what %s printed is not what its schema says: %w", command, err)
		}
	}
}

func TestWhatIsPrintedIsChecked(t *testing.T) {
	put := []string{"--data", "a", "put", "-o", "json", "a.json"}
	for _, tt := range []struct {
		args []string
		out  string
		ok   bool
	}{
		{put, `{"changes": []}`, true},
		{put, `{"changes": ["x"], "have": ["a", "b"]}`, true},
		{put, `{"changes": null}`, false},
		{put, `{"changes": [], "more": 1}`, false},
		{put, `{}`, false},
		{put, `x`, false},
		{put, ``, true},
		{[]string{"put", "a.json"}, `x`, true}, // no JSON was asked for
		{[]string{"rollback", "--dry-run", "-o=json"}, `{"changes": [], "edits": []}`, true},
		{[]string{"rollback", "--dry-run", "-o=json"}, `{"edits": []}`, false},
		{[]string{"conflicts", "show", "a.json", "--output", "json"}, `{"conflicts": []}`, false},
		{[]string{"watch"}, `{"id": "x"}`, false},
		{[]string{"watch", "--", "date"}, `x`, true},
		{[]string{"init", "-o", "json"}, `{"name": "a", "id": "", "cluster": "", "dir": "", "data": ""}`, true},
		{[]string{"invite", "-o", "json"}, `{"role": "writer", "uses": 1, "expires": "tomorrow"}`, false},
	} {
		if err := checkPrinted(tt.args, []byte(tt.out)); (err == nil) != tt.ok {
			t.Errorf("%v printed %q: got %v, want it accepted: %t", tt.args, tt.out, err, tt.ok)
		}
	}
}

func compile(text []byte) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("printed.json", document); err != nil {
		return nil, err
	}
	return c.Compile("printed.json")
}
