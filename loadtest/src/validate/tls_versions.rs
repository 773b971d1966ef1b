//! Which versions of TLS the target really offers, each asked by a hello that offers no other.

use super::finding::{Miss, Seen};
use super::tls::hello::{Answer, Version, answer, hello};
use super::{Site, Validator};
use crate::http::TransportError;
use crate::limits::{TLS_RECORD_BYTES, VALIDATE_ANSWER};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(super) static ROW: Validator = Validator {
    name: "tls-versions",
    expects: EXPECTS,
    standard: "RFC 8996, RFC 9325 section 3.1",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "TLS 1.2 or 1.3, and nothing older";
const WAY_OUT: &str = "nginx: `ssl_protocols TLSv1.2 TLSv1.3;`";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    if let Some(seen) = site.without_tls(EXPECTS) {
        return seen;
    }
    let mut answers = Vec::new();
    for version in Version::ALL {
        match ask(site, version).await {
            Ok(answer) => answers.push((version, answer)),
            Err(error) => {
                let why = format!("asked for {}: {error}", version.name());
                return vec![Seen::unknown(&site.host(), EXPECTS, why)];
            }
        }
    }
    vec![Seen::judged(&site.host(), EXPECTS, judge(&answers))]
}

fn judge(answers: &[(Version, Answer)]) -> Result<String, Miss> {
    let mut offered: Vec<Version> = answers
        .iter()
        .filter_map(|(_, answer)| match answer {
            Answer::Chose(version) => Some(*version),
            Answer::Refused(_) => None,
        })
        .collect();
    offered.sort();
    offered.dedup();
    let names = offered.iter().map(|version| version.name()).collect::<Vec<_>>().join(", ");
    if offered.is_empty() {
        let said = answers.iter().map(|(version, answer)| match answer {
            Answer::Refused(why) => format!("{}: {why}", version.name()),
            Answer::Chose(_) => String::new(),
        });
        return Err(Miss::new(format!("no version at all ({})", said.collect::<Vec<_>>().join("; ")), WAY_OUT));
    }
    if offered.iter().all(|version| version.is_sound()) { Ok(names) } else { Err(Miss::new(names, WAY_OUT)) }
}

/// A server that closes the connection refuses; one that is silent has said nothing.
async fn ask(site: &Site<'_>, version: Version) -> Result<Answer, TransportError> {
    let silent = TransportError::Timeout(VALIDATE_ANSWER);
    tokio::time::timeout(VALIDATE_ANSWER, exchange(site, version)).await.unwrap_or(Err(silent))
}

async fn exchange(site: &Site<'_>, version: Version) -> Result<Answer, TransportError> {
    let mut random = [0; 32];
    random.iter_mut().for_each(|byte| *byte = fastrand::u8(..));
    let server = super::tls::handshake::server_name(site)?;
    let name = match &server {
        ServerName::DnsName(name) => Some(name.as_ref()),
        _ => None,
    };
    let mut stream = site.network.connect(site.target()).await?;
    let closed = || Ok(Answer::Refused("the connection was closed".to_owned()));
    if stream.write_all(&hello(version, name, random)).await.is_err() {
        return closed();
    }
    let mut came = Vec::new();
    loop {
        if let Some(answer) = answer(&came) {
            return Ok(answer);
        }
        let room = TLS_RECORD_BYTES.saturating_sub(came.len());
        let read = (&mut stream).take(room as u64).read_buf(&mut came).await;
        if room == 0 || matches!(read, Ok(0) | Err(_)) {
            return closed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_judged_and_not_what_was_asked_for() {
        let [ssl, one, _, two, three] = Version::ALL;
        let refused = Answer::Refused("alert `protocol_version`".to_owned());
        let all = |two_answers: Answer, one_answers: Answer| {
            judge(&[(ssl, refused.clone()), (one, one_answers), (two, two_answers), (three, Answer::Chose(three))])
        };
        assert_eq!(all(Answer::Chose(two), refused.clone()), Ok("TLS 1.2, TLS 1.3".to_owned()));
        assert_eq!(all(refused.clone(), refused.clone()), Ok("TLS 1.3".to_owned()));
        assert_eq!(all(Answer::Chose(two), Answer::Chose(one)).unwrap_err().got, "TLS 1.0, TLS 1.2, TLS 1.3");
        // Asked for 1.2, it chose 1.0.
        assert_eq!(all(Answer::Chose(one), refused.clone()).unwrap_err().got, "TLS 1.0, TLS 1.3");
        let none = judge(&[(one, refused)]).unwrap_err().got;
        assert_eq!(none, "no version at all (TLS 1.0: alert `protocol_version`)");
    }
}
