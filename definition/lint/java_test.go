package lint_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition/lint"
)

// patternParts are what random patterns are made of.
var patternParts = strings.Fields(`a b c / : . . . .* .+ - _ & && \d \w \s \S \Q \E ( ( ) ) [ [ ] ] { } * + ? | ^ $ \\ ` +
	`(?: (?i) (?s: (?-i) (?= (?! (?<= (?<n> (?<m> (?> (? (?< \k<n> \1 {2} {2,} {2,1} {1,3} {,3} {0} [^ [a-z] [^/]+ \] \[ \p{L} ` +
	`\pL \p{} \P{ \x41 \x{41} \x{ \u0041 \u00 \0 \07 \c \b \b{g} \z \Z \A \B \G \R \h \v \X \y \N 9 1 , e z-a a-z \- \. \/ https?:// ` +
	`a++ a*? a?+ é 😀 # [&&[ [a&&b] [a[b]] []a] @`)

func randomPattern(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(9) {
		b.WriteString(patternParts[r.IntN(len(patternParts))])
	}
	return b.String()
}

func randomText(r *rand.Rand) string {
	const letters = `aabbccAB19/:.-_&{}[]*+?|^$\\é@`
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteByte(letters[r.IntN(len(letters)-3)])
	}
	return strings.ToValidUTF8(b.String(), "é")
}

// TestRandomAgainstJava compares what is said of random patterns with Java: what is called a fault must
// be one, few faults may be missed, and where Go can say what a pattern matches it must be right.
func TestRandomAgainstJava(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java here")
	}
	count := 20_000
	if long, err := time.ParseDuration(os.Getenv("STARLING_LONG")); err == nil {
		count = int(long.Seconds()) * 20_000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	patterns, texts := make([]string, count), make([]string, count)
	var in strings.Builder
	for i := range patterns {
		patterns[i], texts[i] = randomPattern(r), randomText(r)
		in.WriteString(patterns[i] + "\n" + texts[i] + "\n")
	}
	cmd := exec.CommandContext(t.Context(), java, "testdata/Patterns.java")
	cmd.Stdin = strings.NewReader(in.String())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if strings.Contains(stderr.String(), "Could not find or load main class") || strings.Contains(stderr.String(), "jdk.compiler") {
			t.Skip("this java compiles nothing")
		}
		t.Fatalf("run java: %v\n%s", err, stderr.String())
	}
	verdicts := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(verdicts) != count {
		t.Fatalf("verdicts: got %d, want %d", len(verdicts), count)
	}
	refused, missed, sure := 0, 0, 0
	for i, verdict := range verdicts {
		fault := lint.JavaFault(patterns[i])
		why, isRefused := strings.CutPrefix(verdict, "refused ")
		if fault != "" && !isRefused {
			t.Errorf("%q: got fault %q, and Java takes it", patterns[i], fault)
		}
		if isRefused {
			refused++
			if fault == "" {
				missed++
				if missed <= 5 {
					t.Logf("missed: %q: %s", patterns[i], why)
				}
			}
			continue
		}
		matches, isSure := lint.JavaMatches(patterns[i], texts[i])
		if isSure && verdict != "fails" {
			sure++
			if matches != (verdict == "matches") {
				t.Errorf("%q on %q: got %v, and in Java it %s", patterns[i], texts[i], matches, verdict)
			}
		}
	}
	t.Logf("%d patterns, %d refused by Java, %d of these missed, %d matched with Go", count, refused, missed, sure)
	if missed*20 > refused {
		t.Errorf("missed faults: got %d of %d, want less than 5 %%", missed, refused)
	}
}
