//! The table: every client secret, sent by every client in both ways.

use crate::peer::{Answer, METHODS, Peer, Sender};
use crate::platform::{Expected, Row};
use crate::tally::Tally;

/// What a library does not send: it writes Basic in Latin-1.
const NOT_SENT: [(&str, &str, &str); 1] =
    [("Authlib", "client_secret_basic", "wrong, in UTF-8 (Latin-1 has it not)")];

/// How many checks with this outcome are not made, since a library does not send the text.
pub(crate) fn not_sent(rows: &[Row], complaint: &str) -> usize {
    let of = |what: &str| rows.iter().any(|row| row.what == what && row.expected.complaint() == complaint);
    NOT_SENT.iter().filter(|(_, _, what)| of(what)).count()
}

pub(crate) fn head(peers: &[Box<dyn Peer>]) -> String {
    let columns = peers.iter().map(|peer| format!("{:<18}", peer.name()));
    format!(
        "{:<38}{}\n{:<38}{}",
        "client secret",
        columns.collect::<String>(),
        "",
        "basic   post      ".repeat(peers.len())
    )
}

pub(crate) fn run(rows: &[Row], url: &str, peers: &mut [Box<dyn Peer>], tally: &mut Tally, shown: bool) {
    for row in rows {
        let mut line = format!("{:<38}", row.what);
        for peer in &mut *peers {
            for (method, width) in METHODS.into_iter().zip([8, 10]) {
                let answer = peer.token(Sender { url, method, id: &row.id, secret: &row.secret });
                let left_out = NOT_SENT.contains(&(peer.name(), method, row.what));
                let holds = match (&answer, row.expected) {
                    (Answer::NotSent, _) if left_out => Ok(()),
                    (Answer::Token(_), Expected::Token) if !left_out => Ok(()),
                    (Answer::Error(code), Expected::Refused) if !left_out && code == "invalid_client" => {
                        Ok(())
                    }
                    (other, expected) => Err(format!("{}: {other:?}", expected.complaint())),
                };
                let cell = match answer {
                    Answer::Token(_) => "token",
                    Answer::NotSent => "unsent",
                    Answer::Error(code) if code == "invalid_client" => "401",
                    _ => "?",
                };
                line.push_str(&format!("{cell:<width$}"));
                tally.check(format!("{}, {method}, {}", peer.name(), row.what), holds);
            }
        }
        if shown {
            println!("{}", line.trim_end());
        }
    }
}
