//! Rank 0: the leases of the stores that a command writes, and what dead jobs left in them.
//!
//! Key type: [`Hold`].

use crate::cli::LeaseArgs;
use crate::commit::{Holder, LeaseSettings, LeaseTimes, Leases, Writer, probe_and_sweep};
use crate::exit::{Exit, Failure};
use crate::store::{Bucket, Guarantees};
use crate::verbs::shared::left::Left;
use crate::verbs::shared::start::Job;

/// Stores that no other job writes.
pub(in crate::verbs) struct Hold {
    /// The leases.
    pub leases: Leases,
    /// What the server was found to guarantee.
    pub guarantees: Guarantees,
    /// Who this is, for the journal.
    pub holder: Writer,
    /// Transactions that dead jobs left open.
    pub left: Left,
}

impl Hold {
    /// Takes the leases of `stores` for `command`, and heals what can only go one way.
    ///
    /// # Errors
    /// If another job holds one of them, or the server refuses.
    pub async fn take(
        job: &Job<'_>,
        args: &LeaseArgs,
        stores: &[String],
        command: &str,
    ) -> Result<Self, Failure> {
        let mut hold = Self::take_as_it_is(job, args, stores, command).await?;
        let bucket = &job.bucket;
        let lock_dir = args.locks();
        let healed = async {
            hold.left.find(bucket, stores, lock_dir.as_deref()).await?;
            hold.left.heal_what_is_decided(bucket).await
        };
        match healed.await {
            Ok(()) => Ok(hold),
            Err(failure) => {
                let failure = hold.verdict(failure);
                hold.release().await;
                Err(failure)
            }
        }
    }

    /// The same without a look at what is left: for who wants nothing that is there.
    ///
    /// # Errors
    /// If another job holds one of them, or the server refuses.
    pub async fn take_as_it_is(
        job: &Job<'_>,
        args: &LeaseArgs,
        stores: &[String],
        command: &str,
    ) -> Result<Self, Failure> {
        let folder = stores.first().and_then(|store| store.rsplit_once('/'));
        let folder = folder.map_or("", |(folder, _)| folder);
        let (bucket, holder) = (&job.bucket, this(job, command)?);
        let guarantees = probe_and_sweep(&bucket.unfenced()?, folder, &holder).await?;
        let settings = LeaseSettings {
            lock_dir: args.locks(),
            wait: args.lock_wait,
            guarantees: guarantees.clone(),
            times: LeaseTimes::of_this_run(),
        };
        let leases = Leases::acquire(bucket, stores, &settings, &holder).await?;
        wait_for_reads(&guarantees).await;
        Ok(Self {
            leases,
            left: Left::nothing(&guarantees),
            guarantees,
            holder: Writer {
                name: holder.to_string(),
                lock_dir: args.locks(),
            },
        })
    }

    /// To be called before the stores are read again.
    pub async fn wait_for_reads(&self) {
        wait_for_reads(&self.guarantees).await;
    }

    /// What a command says that failed so: where a lease was lost, that is why, and whoever has it sees to what was left.
    pub fn verdict(&self, failure: Failure) -> Failure {
        self.leases.lost().unwrap_or(failure)
    }

    /// Gives the leases up.
    pub async fn release(self) {
        tell(self.leases.release().await);
    }

    /// The same, when what was left open has been healed.
    ///
    /// # Errors
    /// If it cannot be healed.
    pub async fn heal_and_release(mut self, bucket: &Bucket) -> Result<(), Failure> {
        let healed = match self.leases.lost() {
            Some(_) => Ok(()),
            None => self.left.heal(bucket).await,
        };
        let healed = healed.map_err(|failure| self.verdict(failure));
        self.release().await;
        healed
    }
}

/// Who this is.
///
/// # Errors
/// If the system does not say.
pub(in crate::verbs) fn this(job: &Job<'_>, command: &str) -> Result<Holder, Failure> {
    Holder::this(command, &job.crew).map_err(|cause| {
        let message = format!("this process cannot say who it is: {cause}");
        Failure::new(Exit::Internal, message)
    })
}

/// Where reads lag behind, what the transaction before overwrote may still look as it did.
async fn wait_for_reads(guarantees: &Guarantees) {
    if let Some(lag) = guarantees.lag {
        tokio::time::sleep(lag * 2).await;
    }
}

/// A lease that stays behind expires; until then it is in the way of others.
fn tell(problems: Vec<String>) {
    for problem in problems {
        eprintln!("msm_os: a lease is left behind until it expires: {problem}");
    }
}
