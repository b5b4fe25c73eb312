//! Reads `WWW-Authenticate` headers (RFC 9110 §11.6.1).

/// One way in that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The scheme in lower case: `bearer`.
    pub(super) scheme: String,
    /// Names in lower case, values unquoted.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns the value of one parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads all challenges of one header; what cannot be read is left out.
    ///
    /// A comma stands between parameters and between challenges alike: a word followed by `=` is a parameter, any
    /// other word begins a challenge.
    pub(super) fn parse(header: &str) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if word.is_empty() {
                // The end, or a stray `=`, after which nothing can be made out.
                return found;
            }
            let word = word.to_ascii_lowercase();
            rest = match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
                Some(value) => {
                    let (value, after) = unquote(value.trim_start_matches([' ', '\t']));
                    if let Some(challenge) = found.last_mut() {
                        challenge.parameters.push((word, value));
                    }
                    after
                }
                None => {
                    found.push(Self { scheme: word, parameters: Vec::new() });
                    after
                }
            };
        }
    }
}

/// Reads a token or a quoted string, and returns it with what follows it.
fn unquote(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or("")),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_write() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let [challenge] = &Challenge::parse(hub)[..] else { panic!("one challenge") };
        assert_eq!(challenge.scheme, "bearer");
        assert_eq!(challenge.parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(challenge.parameter("scope"), Some("repository:a/b:pull,push"));

        let both = Challenge::parse(r#"Basic realm="a \"b\", c", BEARER Realm = x , service=y"#);
        let [basic, bearer] = &both[..] else { panic!("two challenges: {both:?}") };
        assert_eq!(basic.parameter("realm"), Some("a \"b\", c"));
        assert_eq!((bearer.parameter("realm"), bearer.parameter("service")), (Some("x"), Some("y")));
    }

    #[test]
    fn gets_through_nonsense() {
        for header in
            ["", "=", "==,", "Bearer", "Bearer realm=", "Bearer realm=\"", "a=b", ", ,", "\\\"", "é=ü \"é"]
        {
            for challenge in Challenge::parse(header) {
                assert!(!challenge.scheme.is_empty());
            }
        }
    }
}
