import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

// Patterns reads pairs of lines, a pattern and a text, and says of each pair whether
// Java refuses the pattern, and if not whether it matches the text as Apereo CAS does.
class Patterns {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        StringBuilder out = new StringBuilder();
        for (String pattern = in.readLine(); pattern != null; pattern = in.readLine()) {
            String text = in.readLine();
            out.append(judge(pattern, text)).append('\n');
        }
        new PrintStream(System.out, true, "UTF-8").print(out);
    }

    static String judge(String pattern, String text) {
        Pattern compiled;
        try {
            compiled = Pattern.compile(pattern, Pattern.CASE_INSENSITIVE);
        } catch (PatternSyntaxException e) {
            return "refused " + e.getDescription().replace('\n', ' ');
        }
        try {
            return compiled.matcher(text).matches() ? "matches" : "differs";
        } catch (RuntimeException e) { // \b{g} at the end of a text, in Java 17
            return "fails";
        }
    }
}
