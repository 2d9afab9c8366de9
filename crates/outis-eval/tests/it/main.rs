//! What the judge says about known files, and what the product says in the simple cases.

#[cfg(test)]
mod clip;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod masks;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod simple_cases;
#[cfg(test)]
mod still;
#[cfg(test)]
mod street;
