//! A broker: each alert as a message of MQTT 3.1.1, delivered at least once.
//!
//! An alert is rare, so there is a connection for each, and no client that keeps one alive. The four kinds of packets that
//! takes are here; a client library would bring queues, keep-alives and a TLS stack.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest topic in bytes.
const TOPIC_BYTES_MAX: usize = 200;

/// Seconds after which a broker may give up a client that is silent (MQTT 3.1.1, section 3.1.2.10).
const KEEP_ALIVE_S: u16 = 30;

/// Packet types (section 2.2.1) with their flags.
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const DISCONNECT: u8 = 0xe0;

/// The only message of a connection.
const PACKET_ID: [u8; 2] = [0, 1];

/// Section `[[speaker.mqtt]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MqttConfig {
    /// Host and port.
    address: String,
    #[serde(default = "topic")]
    topic: String,
    user: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) cameras: Vec<String>,
}

fn topic() -> String {
    "outis/alerts".into()
}

/// A broker.
#[derive(Clone, PartialEq)]
pub(crate) struct Mqtt {
    address: String,
    topic: String,
    user: Option<String>,
    password: Option<String>,
}

impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt")
            .field("address", &self.address)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Mqtt {
    /// # Errors
    /// Says what to change.
    pub(crate) fn new(config: &MqttConfig, beside: &Path) -> Result<Self, String> {
        let MqttConfig { address, topic, user, password_file, .. } = config.clone();
        let port =
            address.rsplit_once(':').and_then(|(host, port)| port.parse().ok().filter(|_| !host.is_empty()));
        if port.is_none_or(|port: u16| port == 0) || address.contains(['@', '/']) {
            return Err("mqtt: address is a host and a port, such as 10.0.0.5:1883".into());
        }
        // Section 4.7: the signs of filters, and those that no topic may have.
        let odd = topic.contains(['+', '#']) || topic.contains(char::is_control) || topic.starts_with('$');
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX || odd {
            return Err(format!(
                "mqtt: topic is 1 to {TOPIC_BYTES_MAX} bytes without + and #, such as outis/alerts"
            ));
        }
        if user.as_ref().is_some_and(|user| user.len() > usize::from(u16::MAX)) {
            return Err("mqtt: user is too long".into());
        }
        let password = password_file.map(|file| {
            let path = beside.join(file);
            let password = fs::read_to_string(&path);
            let password =
                password.map_err(|error| format!("mqtt: password_file {}: {error}", path.display()))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            if user.is_none() || password.len() > usize::from(u16::MAX) {
                return Err("mqtt: password_file needs user, and holds one line".to_owned());
            }
            Ok(password)
        });
        Ok(Self { address, topic, user, password: password.transpose()? })
    }

    /// Where it is, for messages.
    pub(crate) fn place(&self) -> String {
        format!("mqtt {}", self.address)
    }

    /// Publishes a line of JSON, and waits until the broker has it.
    pub(crate) async fn publish(&self, json: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(&self.address).await.context("no connection")?;
        stream.write_all(&self.connect()?).await?;
        match answer(&mut stream, CONNACK).await? {
            [_, 0] => {}
            [_, 4 | 5] => bail!("it refuses user or password"),
            [_, code] => bail!("it refuses the connection with code {code}"),
        }
        stream.write_all(&self.publish_packet(json)).await?;
        ensure!(answer(&mut stream, PUBACK).await? == PACKET_ID, "it acknowledges another message");
        stream.write_all(&[DISCONNECT, 0]).await?;
        // What was acknowledged is there, however the connection ends.
        let _ = stream.shutdown().await;
        Ok(())
    }

    /// Section 3.1.
    fn connect(&self) -> anyhow::Result<Vec<u8>> {
        const CLEAN_SESSION: u8 = 0x02;
        const PASSWORD: u8 = 0x40;
        const USER: u8 = 0x80;
        let mut flags = CLEAN_SESSION;
        flags |= if self.user.is_some() { USER } else { 0 };
        flags |= if self.password.is_some() { PASSWORD } else { 0 };
        let mut body = Vec::new();
        text(&mut body, "MQTT");
        body.extend([4, flags]);
        body.extend(KEEP_ALIVE_S.to_be_bytes());
        // A broker throws out a client whose name comes again: a new one each time, of at most 23 letters and digits.
        let mut random = [0; 8];
        getrandom::fill(&mut random).context("no random bits for a name")?;
        text(&mut body, &format!("outis{:016x}", u64::from_be_bytes(random)));
        self.user.iter().chain(&self.password).for_each(|part| text(&mut body, part));
        Ok(packet(CONNECT, &body))
    }

    /// Section 3.3.
    fn publish_packet(&self, json: &str) -> Vec<u8> {
        let mut body = Vec::new();
        text(&mut body, &self.topic);
        body.extend(PACKET_ID);
        body.extend(json.as_bytes());
        packet(PUBLISH_QOS_1, &body)
    }
}

/// Section 1.5.3; whoever calls has checked the length.
fn text(body: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend(&text.as_bytes()[..length.into()]);
}

/// A packet with its length, seven bits a byte (section 2.2.3).
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut length = body.len();
    loop {
        let more = length > 0x7f;
        packet.push((length & 0x7f) as u8 | if more { 0x80 } else { 0 });
        length >>= 7;
        if !more {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// Both answers have two bytes.
async fn answer(stream: &mut TcpStream, kind: u8) -> anyhow::Result<[u8; 2]> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await.context("no answer")?;
    let [found, length, a, b] = bytes;
    ensure!((found, length) == (kind, 2), "it does not answer as a broker of MQTT 3.1.1");
    Ok([a, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mqtt(text: &str, folder: &Path) -> Result<Mqtt, String> {
        Mqtt::new(&toml::from_str(text).unwrap(), folder)
    }

    /// The bytes as the standard has them.
    #[test]
    fn packets() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), "pw\n").unwrap();
        let broker = mqtt(
            "address = \"a:1883\"\ntopic = \"t\"\nuser = \"me\"\npassword_file = \"password\"",
            folder.path(),
        );
        let broker = broker.unwrap();
        assert!(!format!("{broker:?}").contains("pw"), "a password is not shown");
        let connect = broker.connect().unwrap();
        assert_eq!(connect[..12], [0x10, 41, 0, 4, b'M', b'Q', b'T', b'T', 4, 0xc2, 0, 30]);
        assert_eq!(connect[12..14], [0, 21]);
        assert_eq!(connect[connect.len() - 8..], [0, 2, b'm', b'e', 0, 2, b'p', b'w']);
        assert_ne!(connect, broker.connect().unwrap(), "a name of its own for each connection");
        assert_eq!(broker.publish_packet("{}"), [0x32, 7, 0, 1, b't', 0, 1, b'{', b'}']);
        let long = packet(0x32, &[0; 321]);
        assert_eq!((long.len(), &long[..3]), (324, &[0x32, 0xc1, 0x02][..]));
    }

    #[test]
    fn addresses_and_topics_that_cannot_be_are_refused() {
        for (text, part) in [
            ("address = \"broker\"", "host and a port"),
            ("address = \"broker:0\"", "host and a port"),
            ("address = \":1883\"", "host and a port"),
            ("address = \"mqtt://broker:1883\"", "host and a port"),
            ("address = \"me:secret@broker:1883\"", "host and a port"),
            ("address = \"a:1883\"\ntopic = \"city/#\"", "without + and #"),
            ("address = \"a:1883\"\ntopic = \"\"", "1 to 200"),
            ("address = \"a:1883\"\nuser = \"me\"\npassword_file = \"absent\"", "absent"),
        ] {
            let error = mqtt(text, Path::new("/nowhere")).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
