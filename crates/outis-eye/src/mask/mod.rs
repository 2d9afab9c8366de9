//! Who wears a mask: faces of people who are near, found in their frame and judged there.
//!
//! Works on a frame that it borrows, before the detector consumes it, where the tracker expects people to be. What
//! comes out is numbers: the side of a face, how sure it is, how likely it wears a mask. The pixels of a face are in
//! a network's input only, which is wiped when the look is over. No network here has an output in which more would
//! fit; see [`MaskCard`].
//!
//! ```text
//!  people expected ─► wants ─► crops on sheets ─► faces ─► whose? ─► each face, enlarged ─► mask?
//!                       ▲                            (a one-shot network says both at once)
//!                     budget
//! ```

mod card;
mod faces;
mod look;
mod network;
mod wants;

pub use card::{Decoding, Holds, MaskCard, OutputCard, Side};
pub use faces::Face;
pub use look::{MaskBudget, MaskChoice, Masks, OpenedMasks, open};
