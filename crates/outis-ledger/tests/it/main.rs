//! The ledger as a door uses it and as a stranger checks it: real folders, real crashes, twenty and more lies.
#[cfg(test)]
mod book;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod stills;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod trouble;
