//! Ledgers that grew by what was sent: when all is committed, they are merged, if that is due.
//!
//! Key type: [`GrownLedgers`].

use std::collections::BTreeMap;

use futures::{StreamExt, stream};

use crate::commit::{is_due, merge_ledger, number_of};
use crate::events::Event;
use crate::session::Session;
use crate::transfer::Orders;
use crate::verbs::shared::hold::Hold;

/// Ledgers that are merged at a time: of each, some of what it says is in memory.
const AT_A_TIME: usize = 4;

/// By store, the number of its last transaction before, and now.
#[derive(Default)]
pub(in crate::verbs) struct GrownLedgers(BTreeMap<String, (u64, u64)>);

impl GrownLedgers {
    /// With the transaction of these `orders`, which was committed.
    pub(in crate::verbs) fn add(&mut self, orders: &Orders) {
        for (store, id) in orders.plan.stores.iter().zip(&orders.ids) {
            let number = number_of(id).unwrap_or(0);
            let before = number.saturating_sub(1);
            let known = self.0.entry(store.key.clone()).or_insert((before, number));
            known.1 = number;
        }
    }

    /// Merges those of which that is due, while `hold` keeps others away. What cannot be done is told: the next one does it.
    pub(in crate::verbs) async fn merge(self, session: &Session<'_>, hold: &Hold) {
        if hold.guarantees.lag.is_some() {
            // What is merged is told from listings.
            return;
        }
        let due = self.0.into_iter();
        let due = due.filter(|(_, (before, now))| is_due(*before, *now));
        let merges = stream::iter(due).for_each_concurrent(AT_A_TIME, |(store, _)| async move {
            if hold.leases.lost().is_some() {
                return;
            }
            if let Err(left) = merge_ledger(&session.bucket, &store).await {
                for problem in left.lines() {
                    session.tell(&Event::Untidy { problem });
                }
            }
        });
        merges.await;
    }
}
