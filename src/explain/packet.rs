//! The headers in front of a frame in a captured packet: Ethernet or Linux's own, IPv4 or IPv6, TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A TCP segment.
#[derive(Debug, PartialEq)]
pub(super) struct Segment<'a> {
    /// From where to where.
    pub(super) flow: String,
    /// The headers before its data.
    pub(super) headers: String,
    /// How many bytes they are.
    pub(super) skipped: usize,
    pub(super) data: &'a [u8],
    /// How many bytes of the packet are missing.
    pub(super) missing: usize,
}

/// Recognizes a packet by its first bytes. No WebSocket frame begins as IP does: its opcode would
/// be a reserved one, or a continuation with reserved bits.
pub(super) fn segment(packet: &[u8]) -> Option<Segment<'_>> {
    let at = |at: usize| Some(u16::from_be_bytes(*packet.get(at..)?.first_chunk::<2>()?));
    let is_ip = |kind: Option<u16>| matches!(kind, Some(0x0800 | 0x86dd));
    let links = [
        ("", 0, true),
        ("Ethernet, ", 14, is_ip(at(12))),
        ("Ethernet with VLAN, ", 18, at(12) == Some(0x8100) && is_ip(at(16))),
        ("Linux cooked, ", 16, is_ip(at(14))),
        ("Linux cooked v2, ", 20, is_ip(at(0))),
        // The family of addresses, in the order of the machine.
        (
            "loopback, ",
            4,
            matches!(
                packet.first_chunk(),
                Some([2 | 24 | 28 | 30, 0, 0, 0] | [0, 0, 0, 2 | 24 | 28 | 30])
            ),
        ),
    ];
    links.into_iter().filter(|(.., fits)| *fits).find_map(|(link, skip, _)| {
        let (ip, name, from, to, end) = ip(packet.get(skip..)?)?;
        let tcp = packet.get(skip + ip..)?;
        let [from_a, from_b, to_a, to_b] = *tcp.first_chunk::<4>()?;
        let port = |a, b| u16::from_be_bytes([a, b]);
        let length = usize::from(tcp.get(12)? >> 4) * 4;
        let skipped = skip + ip + length;
        let end = skip + end;
        if length < 20 || skipped > end {
            return None;
        }
        let data = packet.get(skipped.min(packet.len())..end.min(packet.len()))?;
        let shown = |ip: IpAddr, port: u16| std::net::SocketAddr::new(ip, port).to_string();
        Some(Segment {
            flow: format!(
                "{} to {}",
                shown(from, port(from_a, from_b)),
                shown(to, port(to_a, to_b))
            ),
            headers: format!("{link}{name} and TCP"),
            skipped,
            data,
            missing: end.saturating_sub(packet.len()),
        })
    })
}

/// The length of the IP header, its name, the addresses and the length of the packet; `None` if it
/// is no IP, or carries something else than TCP.
fn ip(packet: &[u8]) -> Option<(usize, &'static str, IpAddr, IpAddr, usize)> {
    let length = |at: usize| {
        let bytes = packet.get(at..)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_be_bytes(*bytes)))
    };
    match packet.first()? >> 4 {
        4 => {
            let header = usize::from(packet.first()? & 0x0f) * 4;
            let address = |at: usize| {
                Some(IpAddr::from(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?)))
            };
            let total = length(2)?;
            let is_tcp = *packet.get(9)? == 6 && header >= 20 && total >= header + 20;
            is_tcp.then_some((header, "IPv4", address(12)?, address(16)?, total))
        }
        6 => {
            let address = |at: usize| {
                Some(IpAddr::from(Ipv6Addr::from(*packet.get(at..)?.first_chunk::<16>()?)))
            };
            let is_tcp = *packet.get(6)? == 6;
            is_tcp.then_some((40, "IPv6", address(8)?, address(24)?, 40 + length(4)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::typed::hex;

    /// A segment with a frame, by IPv4 and by IPv6.
    const V4: &str = "4500003b 00004000 40060000 7f000001 7f000001 1f90d431 00000001 00000001 \
                      50180200 00000000 810548656c6c6f";
    const V6: &str = "60000000 001b0640 00000000000000000000000000000001 \
                      00000000000000000000000000000001 1f90d431 00000001 00000001 50180200 00000000 \
                      810548656c6c6f";

    #[test]
    fn headers_are_recognized() {
        for (link, name, skip) in [
            ("", "", 0),
            ("000000000000 000000000000", "Ethernet, ", 14),
            ("000000000000 000000000000 8100 0001", "Ethernet with VLAN, ", 18),
            ("0000 0304 0006 000000000000 0000", "Linux cooked, ", 16),
        ] {
            for (packet, kind, version, length) in [(V4, "0800", 4, 20), (V6, "86dd", 6, 40)] {
                let kind = if link.is_empty() { "" } else { kind };
                let bytes = hex(&format!("{link}{kind}{packet}")).unwrap();
                // The total length of this IPv4 packet is longer than what there is of it.
                let segment = segment(&bytes).unwrap();
                assert_eq!(segment.headers, format!("{name}IPv{version} and TCP"));
                assert_eq!(segment.skipped, skip + length + 20);
                assert_eq!(segment.data, [0x81, 0x05, b'H', b'e', b'l', b'l', b'o']);
                assert!(segment.flow.contains(":8080 to "), "{}", segment.flow);
                assert_eq!(segment.missing, if version == 4 { 12 } else { 0 });
            }
        }
    }

    #[test]
    fn the_loopback_of_bsd_has_its_own_header() {
        let bytes = hex(&format!("02000000{V4}")).unwrap();
        assert_eq!(segment(&bytes).unwrap().headers, "loopback, IPv4 and TCP");
        let bytes = hex(&format!("0000001e{V6}")).unwrap();
        assert_eq!(segment(&bytes).unwrap().skipped, 64);
    }

    #[test]
    fn cut_headers_and_frames_are_none() {
        for packet in [V4, V6] {
            let bytes = hex(packet).unwrap();
            for length in 0..52 {
                assert_eq!(segment(&bytes[..length.min(32)]), None);
            }
        }
        for frame in ["810548656c6c6f", "8180aabbccdd", "c107f248cdc9c90700", "02026869"] {
            assert_eq!(segment(&hex(frame).unwrap()), None);
        }
    }
}
