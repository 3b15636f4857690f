//! For tests: a store in memory that several jobs of this process share, each rank by a link of its own, on which requests fail,
//! are cut off, late, answered with lies or overtaken, and whole ranks stand still, as a script says.
//!
//! Key types: [`World`], what lies in the store, and how it came to that; [`Link`], one rank's way to it; [`Rule`] and
//! [`Mishap`], what befalls requests.

mod link;
mod mishap;
mod world;

pub(crate) use self::link::{EndedRequest, Link};
pub(crate) use self::mishap::{Effect, Failure, Mishap, Request, Rule};
pub(crate) use self::world::World;
