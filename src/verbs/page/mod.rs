//! `page`: what there is to say of an archive to those who may use it. Rank 0 looks; all ranks draw.
//!
//! Key types: [`Page`], what is asked; [`PageReport`].

mod ledger;

use futures::{StreamExt, TryStreamExt, stream};
use msm_chart::{Picture, PngError};
use msm_zarr::Group;

pub use self::ledger::{ProofCounts, StoreLedger};

use crate::error::Error;
use crate::session::Session;
use crate::store::Spot;
use crate::verbs::list::{List, StoreFilter, StoreState};
use crate::verbs::open::{Open, OpenReport, OpenableStore, open};
use crate::verbs::quicklook::{DrawnChart, QuicklookReport, UnstoredCoordinate, latest_maps};

/// Ledgers that are read at a time: an object that one tells of costs about a hundred bytes.
const LEDGERS: usize = 4;

/// Which archive.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Where its stores are.
    pub spot: Spot,
}

/// An archive. Rank 0 has it; that of the others is empty.
#[derive(Clone, Debug)]
pub struct PageReport {
    /// Its stores, in the order of their keys, and how they are opened.
    pub opened: OpenReport,
    /// What else there is to say of each of them.
    pub details: Vec<StoreDetails>,
    /// Objects of variables that were read for maps, on all ranks.
    pub objects: u64,
    /// What could not be read of stores, and so is not drawn or told.
    pub unread: Vec<Error>,
}

impl PageReport {
    /// Keeps `cause` for the end, once.
    fn lacks(&mut self, cause: Error) {
        if !self.unread.contains(&cause) {
            self.unread.push(cause);
        }
    }
}

/// What there is to say of a store besides how it is opened.
#[derive(Clone, Debug, Default)]
pub struct StoreDetails {
    /// What its ledger tells; `None` of what has none of its own, or cannot be opened.
    pub ledger: Option<StoreLedger>,
    /// Maps of the last steps of its data variables.
    pub maps: Vec<DrawnMap>,
    /// Variables that are not drawn, and why.
    pub left_out: Vec<(String, String)>,
    /// Why there is no map at all, if none can be drawn.
    pub problem: Option<String>,
    /// Coordinates of which objects are not stored.
    pub unstored: Vec<UnstoredCoordinate>,
}

/// A map.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnMap {
    /// What it shows.
    pub shown: DrawnChart,
    /// The same in words, of which the middle ones are its title.
    pub words: [String; 3],
    /// As SVG.
    pub svg: String,
}

/// Looks at the archive. Every rank calls it.
///
/// # Errors
/// On every rank the same: if something cannot be read.
pub fn page(session: &Session, request: &Page) -> Result<PageReport, Error> {
    let stores = List {
        spot: request.spot.clone(),
        filter: StoreFilter::default(),
    };
    let opened = open(
        session,
        &Open {
            stores,
            describes: true,
        },
    )?;
    let mut ledgers = Vec::new();
    let bucket = &session.bucket;
    session.on_lead(async || {
        let looks = opened.stores.iter();
        let looks = looks.map(|store| ledger::of(bucket, store));
        ledgers = stream::iter(looks).buffered(LEDGERS).try_collect().await?;
        Ok(())
    })?;
    let mut report = PageReport {
        details: { ledgers.into_iter() }
            .map(|ledger| StoreDetails {
                ledger,
                ..StoreDetails::default()
            })
            .collect(),
        opened,
        objects: 0,
        unread: Vec::new(),
    };
    let unplaced = report.opened.unplaced();
    for cause in unplaced {
        report.lacks(cause.into());
    }
    draw(session, &mut report)?;
    Ok(report)
}

/// Draws maps of those stores that this program can read.
fn draw(session: &Session, report: &mut PageReport) -> Result<(), Error> {
    let stores = report.opened.stores.iter().enumerate();
    let whole = stores.filter(|(_, store)| store.info.state == StoreState::Whole);
    let (places, groups): (Vec<usize>, Vec<Group>) =
        whole.map(|(place, store)| (place, group(store))).unzip();
    let width = Picture::plot_width_in_page(1);
    latest_maps(session, &groups, width, |number, drawn| {
        let place = places[number];
        for part in &drawn.undrawn {
            if !matches!(part.cause, Error::Quicklook(_)) {
                report.lacks(part.cause.clone());
            }
        }
        report.objects += drawn.objects;
        report.details[place].draw(drawn, width);
    })
}

impl StoreDetails {
    /// With the maps that were `drawn`.
    fn draw(&mut self, drawn: QuicklookReport, width: usize) {
        let left_out = drawn.left_out.into_iter();
        self.left_out = left_out
            .map(|(_, name, why)| (name, why.to_string()))
            .collect();
        self.unstored = drawn.unstored;
        // What all of it lacks is said once.
        let mut causes = drawn.undrawn.iter().map(|part| &part.cause);
        let first = causes.next();
        let is_one = causes.all(|cause| Some(cause) == first);
        if drawn.charts.is_empty() && is_one {
            self.problem = first.map(ToString::to_string);
        } else {
            for part in drawn.undrawn {
                let why = part.cause.to_string();
                match part.variable {
                    Some(variable) => self.left_out.push((variable, why)),
                    None => self.problem = Some(why),
                }
            }
        }
        let charts = drawn.picture.charts.iter().zip(drawn.charts);
        let maps = charts.map(|(chart, shown)| {
            Ok(DrawnMap {
                shown,
                words: chart.words(),
                svg: chart.svg_alone(width)?,
            })
        });
        match maps.collect::<Result<Vec<_>, PngError>>() {
            Ok(maps) => self.maps = maps,
            Err(why) => self.problem = Some(why.to_string()),
        }
    }
}

/// Where the store is.
fn group(store: &OpenableStore) -> Group {
    Group {
        store: store.root.clone(),
        path: store.group.clone().unwrap_or_default(),
    }
}
