//! Ranks that are threads of one process: for tests, and for who calls this as a library and wants no MPI.
//!
//! Their fences are rank 0's own: there is one clock, and what it knows of the lease all of them know at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{LaunchedJob, PulseNumbers, Ranks, Transport};
use crate::store::Fence;

/// Does `work` on `size` threads, each of which is a rank, and returns what it returns on each.
///
/// # Panics
/// If it does on one of them; the others then end as soon as they would wait for that one.
pub fn threads<T: Send>(size: usize, work: impl Fn(&Ranks) -> T + Sync) -> Vec<T> {
    let ranks = connected(size.max(1));
    let work = &work;
    let ended: Vec<_> = thread::scope(|scope| {
        let rank = |ranks: Ranks| {
            // Its ends of the channels are dropped with it, which wakes whoever waits for it.
            scope.spawn(move || catch_unwind(AssertUnwindSafe(|| work(&ranks))))
        };
        let all: Vec<_> = ranks.into_iter().map(rank).collect();
        let joined = all
            .into_iter()
            .map(|rank| rank.join().and_then(|ended| ended));
        joined.collect()
    });
    let (mut done, mut panics) = (Vec::new(), Vec::new());
    for ended in ended {
        match ended {
            Ok(value) => done.push(value),
            Err(panic) => panics.push(panic),
        }
    }
    // Those that others dragged along say nothing.
    panics.sort_by_key(|panic| panic.is::<LostRank>());
    match panics.into_iter().next() {
        None => done,
        Some(panic) => resume_unwind(panic.downcast::<LostRank>().map_or_else(
            |panic| panic,
            |_| -> Box<dyn Any + Send> { Box::new("a rank ended that others waited for") },
        )),
    }
}

/// A rank that was waited for has ended.
struct LostRank;

fn gone<T>() -> T {
    resume_unwind(Box::new(LostRank))
}

enum Message {
    Value(Arc<[u8]>),
    Numbers(PulseNumbers),
    Fence(Fence),
}

/// The way to another rank, and back.
struct RankLink {
    to: Sender<Message>,
    from: Mutex<Receiver<Message>>,
}

impl RankLink {
    fn pair() -> (Self, Self) {
        let ((to, theirs), (from, mine)) = (channel(), channel());
        let link = |to, from| Self {
            to,
            from: Mutex::new(from),
        };
        (link(to, mine), link(from, theirs))
    }

    fn send(&self, message: Message) {
        self.to.send(message).unwrap_or_else(|_| gone());
    }

    fn receive(&self) -> Message {
        let from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        from.recv().unwrap_or_else(|_| gone())
    }

    // Ranks that are out of step never meet again.

    fn value(&self) -> Vec<u8> {
        match self.receive() {
            Message::Value(bytes) => bytes.to_vec(),
            _ => gone(),
        }
    }

    fn numbers(&self) -> PulseNumbers {
        match self.receive() {
            Message::Numbers(numbers) => numbers,
            _ => gone(),
        }
    }
}

/// Rank 0 has links to all others, in their order; these have the one to it.
struct Threads {
    is_lead: bool,
    links: Vec<RankLink>,
}

impl Threads {
    fn send(&self, message: impl Fn() -> Message) {
        for link in &self.links {
            link.send(message());
        }
    }
}

impl Transport for Threads {
    fn tell(&self, bytes: Vec<u8>) {
        let bytes: Arc<[u8]> = bytes.into();
        self.send(|| Message::Value(Arc::clone(&bytes)));
    }

    fn hear(&self) -> Vec<u8> {
        self.links[0].value()
    }

    fn give(&self, bytes: Vec<u8>) {
        self.tell(bytes);
    }

    fn collect(&self) -> Vec<Vec<u8>> {
        self.links.iter().map(RankLink::value).collect()
    }

    fn sum(&self, mut mine: PulseNumbers) -> PulseNumbers {
        if !self.is_lead {
            self.send(|| Message::Numbers(mine));
            return self.links[0].numbers();
        }
        for link in &self.links {
            let theirs = link.numbers();
            mine.iter_mut().zip(theirs).for_each(|(sum, n)| *sum += n);
        }
        self.send(|| Message::Numbers(mine));
        mine
    }

    fn share(&self, fence: &Fence) {
        if self.is_lead {
            self.send(|| Message::Fence(fence.clone()));
        } else {
            match self.links[0].receive() {
                Message::Fence(lead) => fence.follow(&lead),
                _ => gone(),
            }
        }
    }
}

fn connected(size: usize) -> Vec<Ranks> {
    let (to_all, to_lead): (Vec<RankLink>, Vec<RankLink>) =
        (1..size).map(|_| RankLink::pair()).unzip();
    let links = std::iter::once(to_all).chain(to_lead.into_iter().map(|link| vec![link]));
    let ranks = links.enumerate().map(|(rank, links)| {
        let is_lead = rank == 0;
        let threads = Threads { is_lead, links };
        Ranks {
            rank,
            size,
            sharing_cpus: size,
            on_node: size,
            launched: LaunchedJob::default(),
            others: (size > 1).then(|| Box::new(threads) as Box<dyn Transport>),
        }
    });
    ranks.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ranks::{PhasePulse, Role};
    use crate::store::Moment;

    #[test]
    fn every_rank_gets_what_the_others_give() {
        for size in [1, 2, 5] {
            let ended = threads(size, |ranks| {
                let mine = ranks.rank() as u64;
                let all = match ranks.role() {
                    Role::Lead(lead) => Some(lead.collect(mine).unwrap()),
                    Role::Follower(follower) => {
                        follower.give(&mine).unwrap();
                        None
                    }
                };
                let sum = ranks.agree(PhasePulse {
                    objects: mine,
                    finished: 1,
                    ..PhasePulse::default()
                });
                (all, sum.objects, sum.finished)
            });
            let sum = (0..size as u64).sum();
            for (rank, ended) in ended.into_iter().enumerate() {
                let all = (rank == 0).then(|| (0..size as u64).collect());
                assert_eq!(ended, (all, sum, size as u64));
            }
        }
    }

    #[test]
    fn a_panic_on_one_rank_ends_all_and_is_the_caller_s() {
        for (size, panics) in [(1, 0), (3, 0), (3, 2)] {
            let ended = catch_unwind(|| {
                threads(size, |ranks| {
                    for round in 0.. {
                        assert!(round < 3 || ranks.rank() != panics, "on purpose");
                        let _ = ranks.agree(PhasePulse::default());
                        ranks.on_lead(|| Ok(round)).unwrap();
                    }
                });
            });
            let panic = ended.unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        }
    }

    #[test]
    fn a_rank_that_ends_early_is_not_waited_for() {
        let ended = catch_unwind(|| {
            threads(2, |ranks| {
                if ranks.rank() == 0 {
                    let _ = ranks.agree(PhasePulse::default());
                }
            });
        });
        let said = ended.unwrap_err();
        let said = said.downcast_ref::<&str>().unwrap();
        assert!(said.contains("a rank ended"), "{said}");
    }

    #[test]
    fn fences_are_open_as_long_as_rank_0_s_and_one_bucket_after_the_other() {
        threads(3, |ranks| {
            let meet = || assert_eq!(ranks.agree(PhasePulse::default()), PhasePulse::default());
            for _bucket in 0..2 {
                let fence = Fence::closed();
                ranks.share(&fence);
                assert!(fence.check().is_err());
                meet();
                if ranks.rank() == 0 {
                    fence.extend(Moment::now().after(Duration::from_secs(60)));
                }
                meet();
                assert!(fence.check().is_ok());
                meet();
                if ranks.rank() == 0 {
                    fence.close();
                }
                meet();
                assert!(fence.check().is_err());
            }
        });
    }
}
