//! Loudspeakers on the network: G.711 in RTP (RFC 3550, 3551), to one address or to a group.
//!
//! A message is a talk spurt: packets of 20 ms, the first one marked, sent as the sound goes by and not sooner, since a
//! loudspeaker's buffer is short. Between messages nothing is sent. There is no RTCP; loudspeakers do without.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{VoiceError, g711::Law, sound::Sound};

/// Samples a second (RFC 3551, section 4.5.14).
const RATE_HZ: u32 = 8_000;

/// The default packet of RFC 3551, section 4.2: 20 ms.
const PACKET_SAMPLES: usize = 160;

const PACKET: Duration = Duration::from_millis(20);

const HEADER_BYTES: usize = 12;

/// Version 2, without padding, extension and contributing sources.
const VERSION: u8 = 2 << 6;

const MARKER: u8 = 0x80;

/// Section `[[speaker.rtp]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RtpConfig {
    /// A loudspeaker, or a group of them.
    pub(crate) address: SocketAddr,
    #[serde(default)]
    codec: Law,
    /// How many routers a packet may pass.
    ttl: Option<u8>,
    /// Our own address, which says by which network a group is reached.
    from: Option<IpAddr>,
    #[serde(default)]
    pub(crate) cameras: Vec<String>,
}

impl RtpConfig {
    /// # Errors
    /// Says what to change.
    pub(crate) fn check(&self) -> Result<(), String> {
        let address = self.address;
        if address.port() == 0 || address.ip().is_unspecified() {
            return Err(format!("{address} is no address of a loudspeaker"));
        }
        if self.from.is_some_and(|from| from.is_ipv4() != address.is_ipv4()) {
            return Err(format!("from and address {address} are of different kinds"));
        }
        if self.ttl == Some(0) {
            return Err("ttl = 0 never leaves this machine; 1 stays in its network".into());
        }
        if self.ttl.is_some() && address.is_ipv6() {
            return Err("ttl is for IPv4".into());
        }
        Ok(())
    }
}

/// One loudspeaker, or a group.
#[derive(Debug)]
pub(crate) struct Rtp {
    config: RtpConfig,
    begun: Instant,
    ssrc: u32,
    sequence: u16,
    /// What the timestamp was when it began.
    timestamp: u32,
}

impl Rtp {
    /// # Errors
    /// When there is no randomness for the numbers that must not be guessed.
    pub(crate) fn new(config: RtpConfig) -> io::Result<Self> {
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let [a, b, c, d, e, f, g, h, i, j] = random;
        Ok(Self {
            config,
            begun: Instant::now(),
            ssrc: u32::from_be_bytes([a, b, c, d]),
            timestamp: u32::from_be_bytes([e, f, g, h]),
            sequence: u16::from_be_bytes([i, j]),
        })
    }

    /// A way to the address. Each message has its own, since a network may come up later than we do.
    fn open(&self) -> io::Result<UdpSocket> {
        let config = &self.config;
        let any = match config.address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        // Bound to an address of ours, packets to a group leave by its network.
        let socket = UdpSocket::bind((config.from.unwrap_or(any), 0))?;
        if config.address.is_ipv4() {
            let group = config.address.ip().is_multicast();
            match config.ttl {
                Some(ttl) if group => socket.set_multicast_ttl_v4(ttl.into())?,
                Some(ttl) => socket.set_ttl(ttl.into())?,
                None => {}
            }
        }
        socket.connect(config.address)?;
        Ok(socket)
    }

    /// The payload of each packet; the last one is filled with silence.
    pub(crate) fn prepare(&self, sound: &Sound) -> Vec<u8> {
        let samples = sound.at_rate(RATE_HZ).pcm();
        let mut packed: Vec<u8> =
            samples.into_iter().map(|sample| self.config.codec.encode(sample)).collect();
        packed.resize(packed.len().next_multiple_of(PACKET_SAMPLES), self.config.codec.silence());
        packed
    }

    /// Sends what was prepared, in its own time. Ends early when asked to.
    pub(crate) fn play(&mut self, packed: &[u8], quit: &AtomicBool) -> Result<(), VoiceError> {
        let socket = self.open().map_err(VoiceError::Send)?;
        let start = Instant::now();
        // The clock goes on in the silence between two messages (RFC 3550, section 5.1).
        let passed = start.duration_since(self.begun).as_micros() * u128::from(RATE_HZ) / 1_000_000;
        let mut timestamp = self.timestamp.wrapping_add(passed as u32);
        let mut nobody = false;
        for (payload, due) in packed.chunks(PACKET_SAMPLES).zip((0u32..).map(|n| start + n * PACKET)) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if quit.load(Ordering::Relaxed) {
                break;
            }
            let marker = if due == start { MARKER } else { 0 };
            let mut packet = Vec::with_capacity(HEADER_BYTES + PACKET_SAMPLES);
            packet.extend([VERSION, marker | self.config.codec.payload_type()]);
            packet.extend(self.sequence.to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(self.ssrc.to_be_bytes());
            packet.extend(payload);
            match socket.send(&packet) {
                Ok(_) => {}
                // An answer to the packet before: its machine is there, and listens to no such port.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => nobody = true,
                Err(error) => return Err(VoiceError::Send(error)),
            }
            self.sequence = self.sequence.wrapping_add(1);
            timestamp = timestamp.wrapping_add(PACKET_SAMPLES as u32);
        }
        // The message is over when the last packet has sounded.
        let packets = u32::try_from(packed.len() / PACKET_SAMPLES).unwrap_or(0);
        if !quit.load(Ordering::Relaxed) {
            thread::sleep((start + packets * PACKET).saturating_duration_since(Instant::now()));
        }
        if nobody { Err(VoiceError::NobodyListens) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> RtpConfig {
        toml::from_str(text).unwrap()
    }

    fn receiver() -> (UdpSocket, Rtp) {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let address = receiver.local_addr().unwrap();
        let rtp = Rtp::new(config(&format!("address = \"{address}\"\ncodec = \"pcma\""))).unwrap();
        (receiver, rtp)
    }

    /// Marker, sequence number, timestamp and source of a packet of A-law.
    fn head(packet: &[u8]) -> (bool, u16, u32, u32) {
        assert_eq!((packet.len(), packet[0], packet[1] & 0x7f), (172, 0x80, 8));
        let four =
            |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        (packet[1] & MARKER != 0, u16::from_be_bytes([packet[2], packet[3]]), four(4), four(8))
    }

    #[test]
    fn a_message_is_a_talk_spurt_in_real_time() {
        let (receiver, mut rtp) = receiver();
        let sound = Sound { samples: vec![0.25; 16_000 / 2 + 1], rate_hz: 16_000 };
        let packed = rtp.prepare(&sound);
        assert_eq!(packed.len(), 26 * PACKET_SAMPLES, "half a second and a sample");
        assert_eq!(packed.last(), Some(&0xd5), "silence fills the last packet");
        let quit = AtomicBool::new(false);
        let mut before: Option<(u16, u32, u32)> = None;
        for message in 0..2 {
            let start = Instant::now();
            rtp.play(&packed, &quit).unwrap();
            assert!(start.elapsed() >= 26 * PACKET, "never faster than it sounds");
            for index in 0..26 {
                let mut packet = [0; 1500];
                let length = receiver.recv(&mut packet).unwrap();
                let (marker, sequence, timestamp, source) = head(&packet[..length]);
                assert_eq!(marker, index == 0);
                if let Some((last_sequence, last_timestamp, last_source)) = before {
                    assert_eq!((sequence, source), (last_sequence.wrapping_add(1), last_source));
                    let step = timestamp.wrapping_sub(last_timestamp);
                    let after_silence = index == 0 && message == 1;
                    assert!(
                        if after_silence { (160..800_000).contains(&step) } else { step == 160 },
                        "{step}"
                    );
                }
                before = Some((sequence, timestamp, source));
            }
        }
    }

    #[test]
    fn it_ends_when_asked_to_and_says_when_nobody_listens() {
        let (receiver, mut rtp) = receiver();
        let packed = rtp.prepare(&Sound { samples: vec![0.0; 8_000], rate_hz: 8_000 });
        rtp.play(&packed, &AtomicBool::new(true)).unwrap();
        drop(receiver);
        let error = rtp.play(&packed, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(error, VoiceError::NobodyListens), "{error}");
    }

    #[test]
    fn addresses_that_cannot_be_are_refused() {
        for (text, part) in [
            ("address = \"10.0.0.7:0\"", "no address"),
            ("address = \"0.0.0.0:5004\"", "no address"),
            ("address = \"239.1.2.3:5004\"\nfrom = \"::1\"", "different kinds"),
            ("address = \"239.1.2.3:5004\"\nttl = 0", "never leaves"),
            ("address = \"[ff02::1]:5004\"\nttl = 4", "IPv4"),
        ] {
            assert!(config(text).check().unwrap_err().contains(part), "{text}");
        }
        assert!(config("address = \"239.1.2.3:5004\"\nttl = 8\nfrom = \"10.0.0.2\"").check().is_ok());
    }
}
