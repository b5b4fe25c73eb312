// `WWW-Authenticate` headers (RFC 9110, section 11.6.1).

/** One way in that a server offers. */
interface Challenge {
  /** In lower case: `bearer`. */
  scheme: string;
  /** Names in lower case, values unquoted. */
  parameters: Map<string, string>;
}

/** Reads all challenges of a header; what cannot be read is left out. */
export function readChallenges(header: string): Challenge[] {
  const found: Challenge[] = [];
  let rest = header;
  for (;;) {
    rest = rest.replace(/^[ \t,]+/, "");
    // A word followed by `=` is a parameter, any other word begins a challenge.
    const word = /^[^ \t,=]+/.exec(rest)?.[0];
    if (word === undefined) return found;
    rest = rest.slice(word.length);
    const equals = /^[ \t]*=[ \t]*/.exec(rest)?.[0];
    if (equals === undefined) {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    rest = rest.slice(equals.length);
    const value = /^"((?:[^"\\]|\\.)*)"?/s.exec(rest) ?? /^[^ \t,]*/.exec(rest);
    found.at(-1)?.parameters.set(word.toLowerCase(), (value?.[1] ?? value?.[0] ?? "").replace(/\\(.)/gs, "$1"));
    rest = rest.slice(value?.[0].length ?? 0);
  }
}
