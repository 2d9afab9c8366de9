//! From a stream of packets to frames with times.
//!
//! Knows nothing of what a frame shows. Whatever the packets hold, it goes on to the end of the stream and says
//! on the way what was wrong.

mod arrival;
mod clock;
mod color;
mod convert;
mod decoder;
pub(crate) mod ffi;
mod kept;
mod left_out;
mod newest;
mod references;
mod rest;
mod tail;

use std::{collections::VecDeque, io::Read};

use ffmpeg_next::frame::Video;
use outis_measure::MediaTime;
use outis_packet::{Ending, Header, Item, Packet, ReadError, Reader};
use outis_record::Notice;

use self::{
    arrival::Arrivals,
    clock::Clock,
    convert::Converter,
    decoder::{Decoder, Output},
    left_out::LeftOut,
    references::{References, Role},
    rest::{Passed, Rest},
    tail::Tail,
};
use crate::frame::{Frame, Rotation};

pub(crate) use self::newest::{Gone, Newest};
pub use crate::frame::Unreadable;

/// Reads what `outis-intake` writes, and decodes it.
///
/// ```no_run
/// # use outis_eye::decode::{Event, Frames};
/// let mut frames = Frames::new(std::io::stdin())?;
/// while let Some(event) = frames.next() {
///     if let Event::Picture(picture) = event {
///         println!("{:?}", picture.at());
///         let frame = frames.develop(picture);
///     }
/// }
/// # Ok::<(), outis_eye::decode::StartError>(())
/// ```
#[expect(missing_debug_implementations, reason = "it holds pictures")]
pub struct Frames<R: Read> {
    reader: Reader<R>,
    decoding: Decoding,
    converter: Converter,
    rotation: Rotation,
    size_px: Option<(u32, u32)>,
    rest: Rest,
    /// Told before anything else is read.
    pending: VecDeque<Event>,
    state: State,
}

/// The decoder, what it is given, and when what it gives is shown.
struct Decoding {
    decoder: Decoder,
    clock: Clock,
    live: Option<Live>,
    references: References,
    left_out: LeftOut,
    tail: Tail,
}

/// What is kept of a live stream beside its frames.
#[derive(Debug, Default)]
struct Live {
    arrivals: Arrivals,
    /// When the newest packet came of those that were decoded or left out.
    newest_us: u64,
    has_begun: bool,
}

impl Live {
    /// Whoever comes in the middle of a stream has nothing to make pictures of before the next key frame, and decoders
    /// make grey ones. Some streams have no key frames and refresh the picture bit by bit: they are let in after this.
    const KEY_WAIT_US: u64 = 10_000_000;

    /// Whether a packet is of use.
    fn takes(&mut self, packet: &Packet<'_>) -> bool {
        self.has_begun |= packet.key || packet.arrival_us > Self::KEY_WAIT_US;
        self.has_begun
    }

    /// It is decoded, or left out.
    fn settles(&mut self, packet: &Packet<'_>) {
        self.newest_us = self.newest_us.max(packet.arrival_us);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The stream rests. The decoder may still hold frames back, or one key frame.
    Resting,
    /// It does, and the decoder is ready for a key frame.
    Asleep,
    /// The stream is over; the decoder may still hold frames back.
    Draining(Ending),
    Over,
}

/// What happens in a stream.
#[expect(missing_debug_implementations, reason = "it may hold a picture")]
pub enum Event {
    /// A frame was decoded.
    Picture(Picture),
    /// A frame was not decoded: nobody wanted it, and no other frame that is wanted needs it.
    LeftOut(MediaTime),
    /// A frame was not decoded, because the stream [rests](Frames::rest).
    Rested(MediaTime),
    /// The stream rests, and nothing is told yet of what came.
    Waits,
    /// Something was wrong, and decoding goes on.
    Fault(Notice),
    /// The stream uses a feature that the decoder has not got; the packet was left out.
    UnsupportedFeature,
    /// The stream is over. Nothing comes after this.
    End(Ending),
}

/// A decoded frame that nobody has looked at. Costs nothing more until it is [developed](Frames::develop).
#[expect(missing_debug_implementations, reason = "a picture has nothing to say in a log")]
pub struct Picture {
    video: Video,
    at: MediaTime,
    rotation: Rotation,
}

static_assertions::assert_not_impl_any!(
    Picture: Clone, Copy, std::fmt::Debug, AsRef<[u8]>, std::ops::Deref, serde::Serialize, std::io::Read
);

/// Why decoding cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no readable stream.
    #[error(transparent)]
    Stream(#[from] ReadError),
    /// There is no decoder for it.
    #[error(
        "there is no decoder for `{codec}` video; convert it with `ffmpeg -i FILE -c:v libx264 FILE.mp4`"
    )]
    UnsupportedCodec {
        /// libav's name of the codec.
        codec: String,
    },
}

impl Picture {
    /// When the frame is shown.
    pub fn at(&self) -> MediaTime {
        self.at
    }

    /// Width of the displayed picture in pixels.
    pub fn width_px(&self) -> u32 {
        self.rotation.displayed(self.video.width(), self.video.height()).0
    }

    /// Height of the displayed picture in pixels.
    pub fn height_px(&self) -> u32 {
        self.rotation.displayed(self.video.width(), self.video.height()).1
    }
}

impl<R: Read> Frames<R> {
    /// Reads the header of the stream and opens a decoder for it.
    ///
    /// # Errors
    /// When there is no stream or no decoder.
    pub fn new(input: R) -> Result<Self, StartError> {
        // libav would write to standard error by itself.
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
        let reader = Reader::new(input)?;
        let header = reader.header();
        let decoder = Decoder::open(header)
            .map_err(|_| StartError::UnsupportedCodec { codec: header.codec.as_str().to_owned() })?;
        Ok(Self {
            decoding: Decoding {
                decoder,
                clock: Clock::new(header.time_base, header.frame_rate),
                live: header.origin_unix_ms.map(|_| Live::default()),
                references: References::new(header),
                left_out: LeftOut::default(),
                tail: Tail::default(),
            },
            converter: Converter::default(),
            rotation: Rotation::from_degrees(header.rotation_deg.into()),
            size_px: None,
            rest: Rest::default(),
            pending: VecDeque::new(),
            state: State::Reading,
            reader,
        })
    }

    /// The parameters of the stream, as its container states them.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// Makes a frame that a detector can look at.
    ///
    /// # Errors
    /// When its pixel format cannot be read.
    pub fn develop(&mut self, picture: Picture) -> Result<Frame, Unreadable> {
        let Picture { video, at, rotation } = picture;
        self.converter.convert(video, at, rotation)
    }

    /// Lets the stream rest, from its next key frame on: of what comes only a key frame a second is decoded, until
    /// [`wake`](Self::wake) or until the stream has something unusual. Everything comes a second later meanwhile, in the same
    /// order and with the same times.
    pub fn rest(&mut self) {
        if self.decoding.left_out.is_sound() {
            self.rest.want();
        }
    }

    /// Whether the stream rests.
    pub fn is_resting(&self) -> bool {
        self.rest.is_on()
    }

    /// Ends a rest, or the wish for one. What came in the last second is decoded as if there had been none.
    pub fn wake(&mut self) {
        self.rest.wake();
        if self.state == State::Asleep {
            self.state = State::Reading;
        }
    }

    /// Takes what the decoder has, or `None` when it needs a packet or is empty.
    fn receive(&mut self) -> Option<Event> {
        loop {
            return match self.decoding.decoder.receive() {
                Output::Frame(video) if self.rest.was_told(ffi::shown_at(&video)) => continue,
                Output::Frame(video) => Some(self.picture(video)),
                Output::Damaged => Some(Event::Fault(Notice::DamagedPacket)),
                Output::Unsupported => Some(Event::UnsupportedFeature),
                Output::Hungry | Output::Empty => None,
            };
        }
    }

    fn picture(&mut self, video: Video) -> Event {
        let shown_at = ffi::shown_at(&video);
        if let Some(shown_at) = shown_at {
            self.tell_left_out(|time| time < shown_at);
        }
        let (at, clock_fault) = self.decoding.stamp(shown_at);
        // In containers that keep times of decoding only, such as AVI, frames that were held back to the end have
        // lost theirs. The frame rate is exact there, so nothing is wrong.
        let held_back = matches!(self.state, State::Draining(_));
        let clock_fault = clock_fault.filter(|fault| !(held_back && *fault == Notice::MissingTimestamp));
        let size_px = (video.width(), video.height());
        let format_changed = self.size_px.replace(size_px).is_some_and(|before| before != size_px);
        let damaged = video.is_corrupt() || video.has_decode_errors();
        let faults = [
            clock_fault,
            format_changed.then_some(Notice::FormatChange),
            damaged.then_some(Notice::DamagedPacket),
        ];
        if video.is_interlaced() || faults.iter().any(Option::is_some) {
            self.decoding.left_out.doubt();
        }
        self.pending.extend(faults.into_iter().flatten().map(Event::Fault));
        self.pending.push_back(Event::Picture(Picture { video, at, rotation: self.rotation }));
        self.pending.pop_front().expect("a picture was added")
    }

    /// Tells of the frames that were left out and are shown at these times.
    fn tell_left_out(&mut self, are_due: impl Fn(i64) -> bool) {
        while let Some((time, arrival_us)) = self.decoding.left_out.next_if(&are_due) {
            let (at, fault) = self.decoding.stamp_of(Some(time), arrival_us);
            if fault.is_some() {
                self.decoding.left_out.doubt();
            }
            self.pending.extend(fault.map(Event::Fault));
            self.pending.push_back(Event::LeftOut(at));
        }
    }

    /// Gives the next packet to the decoder, leaves it out, or lets it wait.
    fn feed(&mut self, wanted: &mut dyn FnMut(MediaTime) -> bool) -> Option<Event> {
        if let Some(kept) = self.decoding.tail.next_due() {
            return self.decoding.decode(&kept.packet());
        }
        match self.rest.next_kept() {
            Some((kept, true)) => return self.decoding.decode(&kept.packet()),
            Some((kept, false)) => return self.decoding.take(&kept.packet(), wanted),
            None => {}
        }
        if self.rest.is_wanted() && !self.decoding.tail.is_empty() {
            // A rest begins when nothing else waits.
            self.decoding.tail.wake();
            return None;
        }
        let ending = match self.reader.read() {
            Ok(Item::Packet(packet)) if self.rest.begin(&packet) => {
                // What the decoder holds back is shown before.
                self.decoding.decoder.drain();
                self.state = State::Resting;
                return Some(Event::Waits);
            }
            Ok(Item::Packet(packet)) => return self.decoding.take(&packet, wanted),
            Ok(Item::End(ending)) => ending,
            // An intake that sends nonsense is as good as gone.
            Err(_) => Ending::Truncated,
        };
        if !self.decoding.tail.is_empty() {
            // Decoded though nobody wants it: a stream that was cut is damaged there. Whoever asks again hears of the end
            // again.
            self.decoding.tail.wake();
            return None;
        }
        self.decoding.decoder.drain();
        self.state = State::Draining(ending);
        None
    }

    /// Passes a packet of a stream that rests, or waits for the next one.
    fn feed_resting(&mut self) -> Option<Event> {
        if self.state == State::Resting {
            // The decoder is empty.
            self.tell_left_out(|_| true);
            self.decoding.decoder.restart();
            self.state = if self.rest.is_on() { State::Asleep } else { State::Reading };
            return None;
        }
        let Some(passed) = self.rest.pass() else {
            let goes_on = match self.reader.read() {
                Ok(Item::Packet(packet)) => self.rest.push(&packet),
                // Whoever asks again hears of the end again.
                Ok(Item::End(_)) | Err(_) => false,
            };
            if !goes_on {
                self.wake();
            }
            return Some(Event::Waits);
        };
        let mut fault = None;
        if let Some(kept) = self.rest.last_passed() {
            if let Some(live) = &mut self.decoding.live {
                live.settles(&kept.packet());
            }
            if passed == Passed::Key {
                fault = self.decoding.decode(&kept.packet());
                self.decoding.decoder.drain();
                self.state = State::Resting;
            }
        }
        while let Some(time) = self.rest.next_told() {
            let (at, fault) = self.decoding.stamp(Some(time));
            self.pending.extend(fault.map(Event::Fault));
            self.pending.push_back(Event::Rested(at));
        }
        fault
    }
}

impl Decoding {
    /// When a frame is shown, and what was wrong with its time.
    fn stamp(&mut self, time: Option<i64>) -> (MediaTime, Option<Notice>) {
        let newest_us = self.live.as_ref().map_or(0, |live| live.newest_us);
        self.stamp_of(time, newest_us)
    }

    /// The same of one whose packet came at this time.
    fn stamp_of(&mut self, time: Option<i64>, arrival_us: u64) -> (MediaTime, Option<Notice>) {
        let (at, fault) = self.clock.stamp(time);
        let Some(live) = &mut self.live else { return (at, fault) };
        let (at_us, jumped) = live.arrivals.place(at.as_micros(), time.is_some(), arrival_us);
        // Without a timestamp, when it came is as good.
        (MediaTime::from_micros(at_us), jumped.then_some(Notice::TimestampJump))
    }

    /// Decodes a packet if it is of use and its frame is wanted or needed; lets it wait as long as nobody knows.
    fn take(&mut self, packet: &Packet<'_>, wanted: &mut dyn FnMut(MediaTime) -> bool) -> Option<Event> {
        if !self.live.as_mut().is_none_or(|live| live.takes(packet)) {
            return None;
        }
        let role = self.references.role(packet);
        let is_unwanted = packet.pts.is_some_and(|time| {
            let at_us = self.clock.expected_at(time).map(MediaTime::as_micros);
            let tied = |at_us| self.live.as_ref().map_or(at_us, |live| live.arrivals.expected_us(at_us));
            at_us.is_some_and(|at_us| !wanted(MediaTime::from_micros(tied(at_us))))
        });
        if self.left_out.take(packet, is_unwanted && role == Role::Unneeded) {
            if let Some(live) = &mut self.live {
                live.settles(packet);
            }
            return None;
        }
        if role == Role::Beginning && self.left_out.is_sound() && self.tail.precedes(packet) {
            self.leave_tail();
        }
        let may_wait = role != Role::Unknown && self.left_out.is_sound();
        let waits = is_unwanted && may_wait && self.tail.has_room(packet);
        if !waits && self.tail.is_empty() {
            return self.decode(packet);
        }
        self.tail.push(packet);
        if !waits {
            self.tail.wake();
        }
        None
    }

    /// Leaves out the frames that waited.
    fn leave_tail(&mut self) {
        self.left_out.leave(self.tail.drop_all());
    }

    /// Gives a packet to the decoder.
    fn decode(&mut self, packet: &Packet<'_>) -> Option<Event> {
        if let Some(live) = &mut self.live {
            live.settles(packet);
        }
        let fault = match self.decoder.send(packet) {
            Output::Unsupported => Some(Event::UnsupportedFeature),
            Output::Damaged => Some(Event::Fault(Notice::DamagedPacket)),
            _ if packet.corrupt => Some(Event::Fault(Notice::DamagedPacket)),
            _ => None,
        };
        if fault.is_some() {
            self.left_out.doubt();
        }
        fault
    }
}

impl<R: Read> Frames<R> {
    /// The same as [`next`](Iterator::next), but decodes hardly more than those frames that are `wanted` and those that they are
    /// predicted from. What is told of all others, the order and the times stay the same; some of it is told later, when the
    /// next frame is.
    ///
    /// Frames are asked for in the order of the stream, which is ahead of the order of showing, and some of them never.
    pub fn next_wanted(&mut self, mut wanted: impl FnMut(MediaTime) -> bool) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.state == State::Over {
                return None;
            }
            if let Some(event) = self.receive() {
                return Some(event);
            }
            let event = match self.state {
                State::Draining(ending) => {
                    self.tell_left_out(|_| true);
                    self.pending.push_back(Event::End(ending));
                    self.state = State::Over;
                    None
                }
                State::Resting | State::Asleep => self.feed_resting(),
                State::Reading | State::Over => self.feed(&mut wanted),
            };
            if event.is_some() {
                return event;
            }
        }
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.next_wanted(|_| true)
    }
}
