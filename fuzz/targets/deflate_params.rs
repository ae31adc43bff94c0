//! What a server answers to an offer of permessage-deflate: never more than was offered.

#![no_main]

use wstap::protocol::deflate::{Extension, agree};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (offer, answer) = match data.iter().position(|b| *b == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (&b"permessage-deflate; client_max_window_bits"[..], data),
    };
    let (Ok(offers), Ok(answers)) = (Extension::parse_list(offer), Extension::parse_list(answer))
    else {
        return;
    };
    let agreed = agree(&offers, &answers);
    let Ok(Some(params)) = agreed else { return };
    assert!((8..=15).contains(&params.server_max_window_bits));
    assert!((8..=15).contains(&params.client_max_window_bits));
    assert_eq!(answers.iter().filter(|a| a.name == "permessage-deflate").count(), 1);
    let kept = offers.iter().filter(|o| o.name == "permessage-deflate").any(|offer| {
        let asked = |name: &str| offer.params.iter().find(|(n, _)| n == name);
        let most = |name: &str| asked(name).and_then(|(_, v)| v.as_ref()?.parse::<u8>().ok());
        let bits = |name, bits| most(name).is_none_or(|most| bits <= most);
        (asked("server_no_context_takeover").is_none() || params.server_no_context_takeover)
            && bits("server_max_window_bits", params.server_max_window_bits)
            && (params.client_max_window_bits == 15 || asked("client_max_window_bits").is_some())
    });
    assert!(kept, "{params:?} is more than was offered");
});
