//! Who may ask: whoever knows the address, from the page that was served, and nobody else.
//!
//! Any page in the user's browser may send requests to this machine, by its address or by a name of its own that it lets
//! lead here. So `Host` must be the address, what the browser says of the asking page must be that it is this one, and the
//! path begins with a secret. Whoever does not know that learns nothing: not even a body.
//!
//! A browser that is started with an address shows it to every user of this machine, in the list of processes. So it gets
//! another one, an invitation, that leads to the page once, and only who is of the same user.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::header::{ALLOW, CONNECTION, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};

use super::peer;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How many random bytes there are in an address.
const SECRET: usize = 16;

/// The address that is served.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    /// As `Host` has it.
    host: String,
    port: u16,
    token: String,
    invitation: String,
    /// Whether somebody came by the invitation.
    accepted: Arc<AtomicBool>,
}

/// What is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted<'a> {
    /// A request for something below the address.
    Below(&'a str),
    /// One that came by the invitation.
    Invited,
}

/// A request that is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// Whether the answer says which methods there are.
    pub(super) methods: bool,
}

impl Gate {
    /// Makes an address up for a port of 127.0.0.1.
    pub(super) fn new(port: u16) -> std::io::Result<Self> {
        // Browsers leave out the port that http has anyway.
        let host = if port == 80 { "127.0.0.1".to_owned() } else { format!("127.0.0.1:{port}") };
        Ok(Self { host, port, token: secret()?, invitation: secret()?, accepted: Arc::default() })
    }

    /// Returns the page's address.
    pub(super) fn address(&self) -> String {
        format!("http://{}/{}/", self.host, self.token)
    }

    /// Returns an address that leads to the page's, once.
    pub(super) fn invitation(&self) -> String {
        format!("http://{}/{}", self.host, self.invitation)
    }

    /// Returns the page's address below the host.
    pub(super) fn home(&self) -> String {
        format!("/{}/", self.token)
    }

    /// Takes the invitation up for who is at the other end of a connection. Blocks.
    pub(super) fn accept(&self, peer: SocketAddr) -> Result<(), Refused> {
        let local = SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port);
        let first = peer::is_own(peer, local) && !self.accepted.swap(true, Ordering::Relaxed);
        first.then_some(()).ok_or(Refused::UNKNOWN)
    }

    /// Returns what a request asks for.
    pub(super) fn admit<'a, B>(&self, request: &'a Request<B>) -> Result<Admitted<'a>, Refused> {
        let refuse = |status| Refused { status, methods: false };
        if !self.is_host(request.headers(), request.uri()) {
            return Err(refuse(StatusCode::MISDIRECTED_REQUEST));
        }
        let sites = request.headers().get_all(SEC_FETCH_SITE);
        if !sites.iter().all(|site| site == "same-origin" || site == "none") {
            return Err(refuse(StatusCode::FORBIDDEN));
        }
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        if *request.method() == Method::GET && same(path.as_bytes(), self.invitation.as_bytes()) {
            return Ok(Admitted::Invited);
        }
        let below = path.split_once('/');
        let Some((_, below)) = below.filter(|(token, _)| same(token.as_bytes(), self.token.as_bytes()))
        else {
            return Err(Refused::UNKNOWN);
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, methods: true });
        }
        Ok(Admitted::Below(below))
    }

    fn is_host(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let one = hosts.next().is_some_and(|host| *host == *self.host) && hosts.next().is_none();
        one && uri.authority().is_none_or(|authority| authority.as_str() == self.host)
    }
}

/// The headers of a refusal.
impl Refused {
    /// An address that is none.
    pub(super) const UNKNOWN: Self = Self { status: StatusCode::NOT_FOUND, methods: false };

    pub(super) fn headers(self, headers: &mut HeaderMap) {
        // Connections are few, and not kept for strangers.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if self.methods {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
    }
}

/// Makes up what nobody can guess.
fn secret() -> std::io::Result<String> {
    let mut random = [0; SECRET];
    let got = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    if got != SECRET {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Compares in a time that tells nothing but the length.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        for (one, other, expected) in
            [("ab", "ab", true), ("ab", "ac", false), ("ab", "abc", false), ("abc", "ab", false)]
        {
            assert_eq!(same(one.as_bytes(), other.as_bytes()), expected, "{one} {other}");
        }
    }

    #[test]
    fn each_address_is_another() {
        let (one, other) = (Gate::new(8_000).unwrap(), Gate::new(8_000).unwrap());
        assert_ne!(one.token, other.token);
        assert!(one.invitation != other.invitation && one.invitation != one.token);
        assert_eq!(one.address(), format!("http://127.0.0.1:8000/{}/", one.token));
        assert_eq!(one.token.len(), 32);
        assert_eq!(one.home(), format!("/{}/", one.token));
        assert!(Gate::new(80).unwrap().address().starts_with("http://127.0.0.1/"));
    }

    #[test]
    fn another_host_in_the_request_line_is_refused() {
        let gate = Gate::new(8_000).unwrap();
        let ask = |uri: String| {
            let request = Request::builder().uri(uri).header(HOST, "127.0.0.1:8000").body(()).unwrap();
            let admitted = gate.admit(&request).map(|admitted| format!("{admitted:?}"));
            admitted.map_err(|refused| refused.status.as_u16())
        };
        assert_eq!(ask(format!("/{}/api/session", gate.token)), Ok(r#"Below("api/session")"#.to_owned()));
        assert_eq!(ask(gate.address()), Ok(r#"Below("")"#.to_owned()));
        assert_eq!(ask(format!("http://evil.example/{}/", gate.token)), Err(421));
        assert_eq!(ask(format!("/{}", gate.token)), Err(404));
        assert_eq!(ask(gate.invitation()), Ok("Invited".to_owned()));
        assert_eq!(ask(format!("/{}/", gate.invitation)), Err(404));
    }
}
