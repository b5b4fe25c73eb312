//! Whose process is at the other end of a connection, as the kernel's tables of sockets have it.

use std::io::{self, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use cap_std::ambient_authority;
use cap_std::fs::File;

/// How much of a table is read: a hundred thousand sockets.
const LONGEST: u64 = 16 << 20;

/// Whether a process of this user made a connection from `peer` to `local`, both on this machine. Blocks.
pub(super) fn is_own(peer: SocketAddr, local: SocketAddrV4) -> bool {
    let SocketAddr::V4(peer) = peer else { return false };
    let own = rustix::process::geteuid().as_raw();
    let owner = |table: &str| -> io::Result<Option<u32>> {
        let file = File::open_ambient(table, ambient_authority())?;
        owner(BufReader::new(file.take(LONGEST)), peer, local)
    };
    // The second has those of programs that speak IPv4 by sockets of IPv6.
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| owner(table).ok().flatten()) == Some(own)
}

/// Finds the user whose socket this is: `  0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000 …`.
fn owner(mut table: impl io::BufRead, from: SocketAddrV4, to: SocketAddrV4) -> io::Result<Option<u32>> {
    let (from, to) = (Written::of(from), Written::of(to));
    let mut line = String::new();
    loop {
        line.clear();
        if table.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(remote)) = (words.next(), words.next()) else { continue };
        if from.is(local) && to.is(remote) {
            return Ok(words.nth(4).and_then(|user| user.parse().ok()));
        }
    }
}

/// An address as the tables have it: words of 32 bits in hexadecimal, each as this machine holds it, and the port.
struct Written {
    four: String,
    six: String,
}

impl Written {
    fn of(address: SocketAddrV4) -> Self {
        let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let four = format!("{}:{:04X}", word(address.ip().octets()), address.port());
        let [zero, mapped] = [word(Ipv4Addr::UNSPECIFIED.octets()), word([0, 0, 0xff, 0xff])];
        Self { six: format!("{zero}{zero}{mapped}{four}"), four }
    }

    fn is(&self, text: &str) -> bool {
        text == self.four || text == self.six
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn v4(address: SocketAddr) -> SocketAddrV4 {
        match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => panic!("{address}"),
        }
    }

    #[test]
    fn ones_own_connection_is_ones_own() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let local = v4(listener.local_addr().unwrap());
        let stream = TcpStream::connect(local).unwrap();
        let peer = stream.local_addr().unwrap();
        assert!(is_own(peer, local));
        // Another end, and one that is not there.
        assert!(!is_own(peer, SocketAddrV4::new(Ipv4Addr::LOCALHOST, local.port() ^ 1)));
        let gone = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 9), 9);
        assert!(!is_own(gone.into(), local));
    }

    #[test]
    fn the_owner_is_found_by_both_ends() {
        let address = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let (Written { four: at, .. }, Written { four: from, six }) =
            (Written::of(address(8_080)), Written::of(address(54_321)));
        let rest = "01 00000000:00000000 00:00000000 00000000";
        let table = |from: &str| {
            format!(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                 \n   0: {at} {from} {rest}     1 0 9 1\n   1: {from} {at} {rest}  1000        0 77 1\n"
            )
        };
        let found = |table: &str, from, to| owner(table.as_bytes(), address(from), address(to)).unwrap();
        assert_eq!(found(&table(&from), 54_321, 8_080), Some(1_000));
        assert_eq!(found(&table(&from), 8_080, 54_321), Some(1));
        assert_eq!(found(&table(&from), 54_321, 8_081), None);
        assert_eq!(found(&format!("   1: {from} {at} {rest}"), 54_321, 8_080), None, "cut off");
        assert_eq!(found(&format!("   1: {six} {at} {rest}  1000 "), 54_321, 8_080), Some(1_000));
    }
}
