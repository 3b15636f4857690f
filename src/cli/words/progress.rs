//! What is said of work while it lasts: lines, and the one beside a bar.
//!
//! Key functions: [`saying`]; [`bar`].

use std::time::Duration;

use msm_zarr::layout;

use super::{bytes_shown, counted, rate_shown};
use crate::cli::progress::{Measure, Saying};
use crate::events::WorkKind;

/// A bar is worth drawing with so many characters, and takes no more.
const BAR: [usize; 2] = [10, 42];

/// The line for it.
#[allow(clippy::too_many_lines)] // an arm for each
pub(in crate::cli) fn saying(saying: &Saying) -> String {
    match saying {
        Saying::Progress(measure) => progress(measure),
        Saying::Stalled {
            since,
            for_seconds,
            objects_in_flight,
            requests,
            oldest_request,
            oldest_since,
        } => {
            let of_requests = match (oldest_request, oldest_since) {
                (Some(oldest), Some(since)) => format!(
                    "; rank 0 has {} in flight, the oldest {oldest} since {}",
                    counted(*requests, "requests"),
                    clock(since)
                ),
                _ => String::new(),
            };
            format!(
                "no object done {}: {} in flight{of_requests}",
                for_long(*for_seconds, since),
                counted(*objects_in_flight, "objects")
            )
        }
        Saying::Quiet {
            since,
            for_seconds,
            work,
            requests_in_flight,
            requests_so_far,
        } => {
            let what = match work {
                Some(work) => format!(", now {}", doing(*work)),
                None if *requests_in_flight > 0 => ", now asking the server".to_owned(),
                None => String::new(),
            };
            let so_far = match requests_so_far {
                0 => String::new(),
                many => format!(": {} so far", counted(*many, "requests")),
            };
            format!("at work {}{what}{so_far}", for_long(*for_seconds, since))
        }
        Saying::RanksSilent { since, for_seconds } => format!(
            "waiting for the other ranks {}: one of them does not say how far it is",
            for_long(*for_seconds, since)
        ),
        Saying::WaitingForRanks {
            since,
            for_seconds,
            ranks,
            ranks_done,
            waiting_for_rank,
        } => {
            let of_whom = match waiting_for_rank {
                Some(rank) => format!("waiting for rank {rank}"),
                None => format!("waiting for {} of them", ranks - ranks_done),
            };
            format!(
                "{ranks_done} of {ranks} ranks are done; {of_whom} {}",
                for_long(*for_seconds, since)
            )
        }
        Saying::Unanswered {
            since,
            for_seconds,
            requests,
            oldest_request,
        } => format!(
            "no answer from the server {}: {} in flight, the oldest {}",
            for_long(*for_seconds, since),
            counted(*requests, "requests"),
            oldest_request.as_deref().unwrap_or_default()
        ),
        Saying::Retrying {
            since,
            for_seconds,
            requests,
            attempts,
            last_request,
            cause,
        } => format!(
            "trying again {}: {} for a good answer, {} came to nothing, the last {last_request}: {cause}",
            for_long(*for_seconds, since),
            match requests {
                1 => "1 request waits".to_owned(),
                many => format!("{many} requests wait"),
            },
            counted(*attempts, "attempts")
        ),
        Saying::WaitingForLimit {
            for_seconds,
            waited_seconds,
        } => format!(
            "waiting for --max-requests or --max-rate: {waited_seconds} of the last {for_seconds} s"
        ),
        Saying::RanksWaitForLimit {
            ranks,
            ranks_waiting,
        } => format!(
            "waiting for --max-requests or --max-rate: {ranks_waiting} of {ranks} ranks, most of their time"
        ),
        Saying::WaitingForKeys {
            since,
            for_seconds,
            source,
        } => format!(
            "waiting for keys from {source} {}: those before have ended",
            for_long(*for_seconds, since)
        ),
        Saying::AnswersAgain {
            after_seconds,
            attempts: 0,
        } => format!("the server answers again after {after_seconds} s"),
        Saying::AnswersAgain {
            after_seconds,
            attempts,
        } => format!(
            "the server answers again after {after_seconds} s; {} had come to nothing",
            counted(*attempts, "attempts")
        ),
        Saying::StillHealing {
            since,
            for_seconds,
            store,
            transaction,
        } => format!(
            "healing what a job left in {}, {}: {transaction}",
            layout::place_name(store),
            for_long(*for_seconds, since)
        ),
        Saying::Stopping {
            objects_in_flight,
            is_committing,
            can_be_hurried,
        } => stopping(*objects_in_flight, *is_committing, *can_be_hurried),
    }
}

fn stopping(in_flight: u64, is_committing: bool, can_be_hurried: bool) -> String {
    let what = match (is_committing, in_flight) {
        (true, _) => "stopping when what is being committed is".to_owned(),
        (false, 0) => "stopping".to_owned(),
        (false, objects) => format!("stopping: {} in flight", counted(objects, "objects")),
    };
    let rest = if can_be_hurried {
        "Ctrl-C again to leave the rest to recover"
    } else {
        "what the launcher cuts off is left to recover"
    };
    format!("{what}; {rest}")
}

/// `for 25 s, since 12:00:01Z`
fn for_long(seconds: u64, since: &str) -> String {
    format!("for {}, since {}", seconds_shown(seconds), clock(since))
}

/// The time of day in RFC 3339's.
fn clock(time: &str) -> &str {
    time.split_once('T').map_or(time, |(_, clock)| clock)
}

fn seconds_shown(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        _ => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
    }
}

/// What a work does.
fn doing(work: WorkKind) -> &'static str {
    match work {
        WorkKind::Leasing => "taking the leases of the stores",
        WorkKind::Reading => "reading what the files hold",
        WorkKind::Weighing => "computing weights",
        WorkKind::Comparing => "comparing",
        WorkKind::Keeping => "keeping what is overwritten",
        WorkKind::Sending => "sending",
        WorkKind::Committing => "committing",
        WorkKind::PuttingBack => "putting everything back",
        WorkKind::Checking => "checking",
        WorkKind::Deleting => "deleting",
        WorkKind::Copying => "copying",
    }
}

/// How much of the work is done, if it is known how much there is.
fn share(measure: &Measure) -> Option<f64> {
    let total = measure.bytes_total?;
    Some((measure.bytes as f64 / total as f64).min(1.0))
}

fn progress(measure: &Measure) -> String {
    let what = match &*measure.what {
        // What the last work was of.
        _ if measure.work == WorkKind::Leasing => String::new(),
        "" => String::new(),
        what => format!("{what}: "),
    };
    let doing = doing(measure.work);
    let Some(share) = share(measure) else {
        let so_far = if measure.bytes > 0 {
            format!(
                ", {}, {}",
                counted(measure.objects, "objects"),
                bytes_shown(measure.bytes)
            )
        } else {
            String::new()
        };
        let seconds = seconds_shown(measure.elapsed_seconds);
        return format!("{what}{doing} for {seconds}{so_far}");
    };
    let of = |total: Option<u64>| total.map_or_else(String::new, |total| format!(" of {total}"));
    let bytes = bytes_shown(measure.bytes);
    let all = bytes_shown(measure.bytes_total.unwrap_or_default());
    let end = match (measure.left_seconds, &measure.until) {
        (Some(left), Some(until)) => format!(", {} left, until {until}", seconds_shown(left)),
        _ => String::new(),
    };
    format!(
        "{what}{doing}: {:.0} %, {}{} objects, {bytes} of {all}, {} over the last {} s{end}",
        100.0 * share,
        measure.objects,
        of(measure.objects_total),
        rate_shown(measure.bytes_per_second as f64),
        measure.over_seconds,
    )
}

/// The line of a bar, of so many columns at most: the less room, the less it tells.
pub(in crate::cli) fn bar(measure: &Measure, columns: usize) -> String {
    let share = share(measure);
    let percent = share.map_or_else(
        || seconds_shown(measure.elapsed_seconds),
        |share| format!("{:>3.0} %", 100.0 * share),
    );
    let rate = (measure.bytes > 0).then(|| rate_shown(measure.bytes_per_second as f64));
    let left = measure
        .left_seconds
        .map(|left| format!("{} left", seconds_shown(left)));
    let bytes = measure
        .bytes_total
        .map(|total| format!("{} of {}", bytes_shown(measure.bytes), bytes_shown(total)));
    let objects = measure
        .objects_total
        .map(|total| format!("{} of {total} objects", measure.objects));
    let what = Some(measure.what.clone()).filter(|what| !what.is_empty());
    let doing = Some(doing(measure.work).to_owned());
    let mut room = columns.saturating_sub(percent.len());
    let mut fitting = |piece: Option<String>| {
        let piece = piece.filter(|piece| piece.len() + 2 <= room)?;
        room -= piece.len() + 2;
        Some(piece)
    };
    // In the order of what is worth most; the bar itself takes what is left.
    let (left, rate, doing) = (fitting(left), fitting(rate), fitting(doing));
    let least = share.and_then(|share| fitting(Some(drawn(share, BAR[0]))));
    let (bytes, what, objects) = (fitting(bytes), fitting(what), fitting(objects));
    let width = (BAR[0] + room).min(BAR[1]);
    let drawn = least.and(share).map(|share| drawn(share, width));
    let pieces = [
        what,
        doing,
        drawn,
        Some(percent),
        objects,
        bytes,
        rate,
        left,
    ];
    let line = pieces.into_iter().flatten().collect::<Vec<_>>().join("  ");
    line.chars().take(columns).collect()
}

/// `[=====>    ]`, so many characters wide.
fn drawn(share: f64, width: usize) -> String {
    let inner = width.saturating_sub(2);
    let filled = ((inner as f64 * share) as usize).min(inner);
    let head = if filled < inner { ">" } else { "" };
    let rest = " ".repeat(inner - filled - head.len());
    format!("[{}{head}{rest}]", "=".repeat(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure() -> Measure {
        Measure {
            what: "plan 2 of 5, 1978-01-16 to 1978-12-16".to_owned(),
            work: WorkKind::Sending,
            elapsed_seconds: 60,
            objects: 12,
            objects_total: Some(24),
            bytes: 2_000_000_000,
            bytes_total: Some(4_000_000_000),
            bytes_per_second: 33_000_000,
            over_seconds: 30,
            left_seconds: Some(61),
            until: Some("1976-01-01T12:02:01Z".to_owned()),
            ranks: Some(4),
            ranks_done: Some(0),
            waiting_for_rank: None,
        }
    }

    #[test]
    fn a_line_says_what_how_far_how_fast_and_until_when() {
        assert_eq!(
            progress(&measure()),
            "plan 2 of 5, 1978-01-16 to 1978-12-16: sending: 50 %, 12 of 24 objects, 1.9 GiB of 3.7 GiB, 33 MB/s over the last 30 s, \
             61 s left, until 1976-01-01T12:02:01Z"
        );
        let unmeasured = Measure {
            what: String::new(),
            work: WorkKind::Reading,
            bytes: 0,
            bytes_total: None,
            ..measure()
        };
        assert_eq!(
            progress(&unmeasured),
            "reading what the files hold for 60 s"
        );
    }

    #[test]
    fn the_bar_fits_into_every_terminal() {
        let unmeasured = Measure {
            bytes_total: None,
            left_seconds: None,
            ..measure()
        };
        for of in [measure(), unmeasured] {
            for columns in 0..200 {
                let line = bar(&of, columns);
                assert!(line.len() <= columns, "{columns}: {line}");
            }
        }
        assert_eq!(bar(&measure(), 6), " 50 %");
        assert_eq!(
            bar(&measure(), 39),
            " 50 %  33 MB/s  61 s left".replace(" 50 %", "sending   50 %")
        );
        let wide = bar(&measure(), 79);
        assert_eq!(
            wide,
            "sending  [==========>          ]   50 %  1.9 GiB of 3.7 GiB  33 MB/s  61 s left"
        );
        let wider = bar(&measure(), 160);
        assert!(
            wider.starts_with("plan 2 of 5, 1978-01-16 to 1978-12-16  sending  [==="),
            "{wider}"
        );
        assert!(
            wider.ends_with("]   50 %  12 of 24 objects  1.9 GiB of 3.7 GiB  33 MB/s  61 s left"),
            "{wider}"
        );
    }

    #[test]
    fn silence_is_broken_with_what_is_known() {
        let quiet = |work, requests_in_flight, requests_so_far| {
            saying(&Saying::Quiet {
                since: "1976-01-01T12:00:00Z".to_owned(),
                for_seconds: 5,
                work,
                requests_in_flight,
                requests_so_far,
            })
        };
        for (said, text) in [
            (quiet(None, 0, 0), ""),
            (
                quiet(None, 2, 14),
                ", now asking the server: 14 requests so far",
            ),
            (quiet(None, 0, 1), ": 1 request so far"),
            (
                quiet(Some(WorkKind::Weighing), 0, 3),
                ", now computing weights: 3 requests so far",
            ),
        ] {
            assert_eq!(said, format!("at work for 5 s, since 12:00:00Z{text}"));
        }
    }

    #[test]
    fn a_stop_says_what_is_waited_for_and_what_the_next_ctrl_c_does() {
        assert_eq!(
            stopping(3, false, true),
            "stopping: 3 objects in flight; Ctrl-C again to leave the rest to recover"
        );
        assert_eq!(
            stopping(0, false, false),
            "stopping; what the launcher cuts off is left to recover"
        );
    }
}
