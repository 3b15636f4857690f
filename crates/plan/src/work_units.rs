//! The work units of a plan. They are never listed, for there may be ever so many: those of an array are the boxes of a lattice, and
//! each rank owns runs of them.
//!
//! Key types: [`WorkUnits`]; [`UnitLattice`], those of one array; [`ObjectGrid`], the objects of an array by number.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::units::WorkUnit;
use msm_model::Hyperslab;

/// Runs of neighbouring chunks along one dimension, each from its first up to its end.
pub type ChunkSpans = Vec<(u64, u64)>;

/// All units of a plan, by number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkUnits {
    lattices: Vec<UnitLattice>,
    /// The rank that does the units from this one on, up to that of the next entry; those that follow others apart.
    owners: Vec<(usize, usize)>,
    /// By unit, those that are reprojected from what it reads.
    followers: BTreeMap<usize, Vec<usize>>,
    /// The same the other way round.
    leads: BTreeMap<usize, usize>,
}

/// The units of an array, or those that read one of its files: boxes side by side along each dimension, in row-major order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnitLattice {
    /// Which of the plan's arrays.
    pub array: usize,
    /// For a static array: which of the plan's files it is read from.
    pub file: usize,
    /// Do they follow others?
    pub follows: bool,
    /// The number of the first of them.
    first: usize,
    sides: Vec<Pieces>,
}

/// The runs of chunks along one dimension, each cut into pieces of so many, the last one shorter.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pieces {
    spans: ChunkSpans,
    /// The pieces before each run; then all of them.
    before: Vec<u64>,
    step: u64,
}

/// The objects of an array that a plan writes, numbered in row-major order: they lie where the runs of chunks along all dimensions
/// meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectGrid {
    /// Along each dimension, the runs, and the chunks before each.
    sides: Vec<Vec<(u64, u64, u64)>>,
    /// Along each dimension, how many chunks there are.
    lengths: Vec<u64>,
    is_empty: bool,
}

impl Pieces {
    fn new(spans: ChunkSpans, step: u64) -> Self {
        let mut before = vec![0];
        let mut pieces = 0;
        for (first, end) in &spans {
            pieces += (end - first).div_ceil(step);
            before.push(pieces);
        }
        Self {
            spans,
            before,
            step,
        }
    }

    fn len(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    fn chunks(&self) -> u64 {
        self.spans.iter().map(|(first, end)| end - first).sum()
    }

    /// The first chunk of the piece `index`, and how many it has.
    fn get(&self, index: u64) -> (u64, u64) {
        let at = self.before.partition_point(|before| *before <= index) - 1;
        let (first, end) = self.spans[at];
        let start = first + (index - self.before[at]) * self.step;
        (start, self.step.min(end - start))
    }
}

impl UnitLattice {
    /// The units of `array`, one of the plan's, that read `file`: along each dimension these runs of chunks, in pieces of so many.
    #[must_use]
    pub fn new(
        array: usize,
        file: usize,
        sides: impl IntoIterator<Item = (ChunkSpans, u64)>,
    ) -> Self {
        let sides = sides.into_iter();
        Self {
            array,
            file,
            follows: false,
            first: 0,
            sides: sides
                .map(|(spans, step)| Pieces::new(spans, step))
                .collect(),
        }
    }

    /// The same of another array, with one piece for each of its last dimensions, which have so many chunks.
    pub(super) fn of_array(mut self, array: usize, last: &[u64]) -> Self {
        self.array = array;
        let leading = self.sides.len() - last.len();
        self.sides.truncate(leading);
        let whole = last.iter().map(|&n| Pieces::new(vec![(0, n)], n.max(1)));
        self.sides.extend(whole);
        self
    }

    fn len(&self) -> usize {
        let units: u64 = self.sides.iter().map(Pieces::len).product();
        usize::try_from(units).unwrap_or(usize::MAX)
    }

    /// The numbers of its units.
    fn numbers(&self) -> Range<usize> {
        self.first..self.first + self.len()
    }

    /// Objects of all its units.
    fn objects(&self) -> u64 {
        self.sides.iter().map(Pieces::chunks).product()
    }

    fn unit(&self, number: usize) -> WorkUnit {
        let mut rest = (number - self.first) as u64;
        let rank = self.sides.len();
        let (mut start, mut count) = (vec![0; rank], vec![0; rank]);
        for (d, side) in self.sides.iter().enumerate().rev() {
            (start[d], count[d]) = side.get(rest % side.len());
            rest /= side.len();
        }
        WorkUnit {
            array: self.array,
            chunks: Hyperslab { start, count },
            file: self.file,
            owner: 0,
            followers: Vec::new(),
            follows: self.follows,
        }
    }
}

impl WorkUnits {
    /// The units of these `lattices`. A file's come one after the other, not each in a round over all files.
    #[must_use]
    pub fn new(mut lattices: Vec<UnitLattice>) -> Self {
        lattices.retain(|lattice| lattice.len() > 0);
        lattices.sort_by_key(|lattice| lattice.file);
        let mut first = 0;
        for lattice in &mut lattices {
            lattice.first = first;
            first += lattice.len();
        }
        Self {
            lattices,
            ..Self::default()
        }
    }

    /// Those of arrays that are `wanted` alone, with the numbers that they had, to be gone through.
    #[must_use]
    pub fn of_arrays(&self, wanted: impl Fn(usize) -> bool) -> Self {
        let mut some = self.clone();
        some.lattices.retain(|lattice| wanted(lattice.array));
        some
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lattices.last().map_or(0, |last| last.numbers().end)
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lattices.is_empty()
    }

    /// The unit of this number, which must be less than [`Self::len`].
    #[must_use]
    pub fn get(&self, number: usize) -> WorkUnit {
        let lattices = &self.lattices;
        let at = lattices.partition_point(|lattice| lattice.first <= number) - 1;
        self.told(number, &lattices[at])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = WorkUnit> + '_ {
        self.of_lattices(|_| true).map(|(_, unit)| unit)
    }

    /// Those of lattices that are `wanted`, with their numbers.
    pub(super) fn of_lattices(
        &self,
        wanted: impl Fn(&UnitLattice) -> bool,
    ) -> impl Iterator<Item = (usize, WorkUnit)> {
        let lattices = self.lattices.iter().filter(move |lattice| wanted(lattice));
        lattices.flat_map(move |lattice| {
            let numbers = lattice.numbers();
            numbers.map(move |number| (number, self.told(number, lattice)))
        })
    }

    /// The number of each that follows no other, with its array.
    pub(super) fn leads(&self) -> impl Iterator<Item = (usize, usize)> {
        let leads = self.lattices.iter().filter(|lattice| !lattice.follows);
        leads.flat_map(|lattice| lattice.numbers().map(|number| (number, lattice.array)))
    }

    /// The unit of the `lattice`, with what is known of it besides.
    fn told(&self, number: usize, lattice: &UnitLattice) -> WorkUnit {
        let mut unit = lattice.unit(number);
        let lead = self.leads.get(&number).copied().unwrap_or(number);
        let at = self.owners.partition_point(|(first, _)| *first <= lead);
        unit.owner = at.checked_sub(1).map_or(0, |at| self.owners[at].1);
        if let Some(followers) = self.followers.get(&number) {
            unit.followers.clone_from(followers);
        }
        unit
    }

    /// The numbers of those that `rank` does, of arrays that are `wanted`, without those that follow others.
    pub(super) fn owned(
        &self,
        rank: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = usize> {
        let lattices = self.lattices.iter();
        let lattices = lattices.filter(move |lattice| !lattice.follows && wanted(lattice.array));
        lattices.flat_map(move |lattice| self.owned_of(rank, lattice.numbers()))
    }

    /// Those of these `numbers` that `rank` does.
    fn owned_of(&self, rank: usize, numbers: Range<usize>) -> impl Iterator<Item = usize> {
        let owners = &self.owners;
        let from = owners.partition_point(|(first, _)| *first <= numbers.start);
        let ends = owners[from..].iter().map(|(first, _)| *first);
        let ends = ends.take_while({
            let end = numbers.end;
            move |first| *first < end
        });
        let owner = move |at: usize| at.checked_sub(1).map_or(0, |at| owners[at].1);
        let mut start = numbers.start;
        let runs = ends.chain([numbers.end]).enumerate();
        runs.map(move |(index, end)| (owner(from + index), std::mem::replace(&mut start, end)..end))
            .filter(move |(owner, _)| *owner == rank)
            .flat_map(|(_, run)| run)
    }

    /// Gives each unit its owner: the entries of `owners` hold from their unit on. Those that follow another go with it.
    pub(super) fn set_owners(&mut self, owners: Vec<(usize, usize)>) {
        self.owners = owners;
    }

    /// The units of these arrays follow others: `leads` tells which.
    pub(super) fn set_leads(&mut self, arrays: &[usize], leads: BTreeMap<usize, usize>) {
        for lattice in &mut self.lattices {
            lattice.follows = arrays.contains(&lattice.array);
        }
        for (&follower, &lead) in &leads {
            self.followers.entry(lead).or_default().push(follower);
        }
        self.leads = leads;
    }

    /// By array, the objects of its units: one entry or several.
    pub(super) fn objects_by_array(&self) -> impl Iterator<Item = (usize, u64)> {
        let lattices = self.lattices.iter();
        lattices.map(|lattice| (lattice.array, lattice.objects()))
    }

    /// Objects of the units of the plan's array `array`.
    #[must_use]
    pub fn objects_of(&self, array: usize) -> u64 {
        let all = self.objects_by_array();
        all.filter(|one| one.0 == array).map(|one| one.1).sum()
    }

    /// Along each dimension of the plan's array `array`, the runs of chunks that its units have; none if it has no units.
    #[must_use]
    pub fn spans(&self, array: usize) -> Option<Vec<ChunkSpans>> {
        let mut lattices = self.lattices.iter().filter(|one| one.array == array);
        let mut spans: Vec<ChunkSpans> = { lattices.next()?.sides.iter() }
            .map(|side| side.spans.clone())
            .collect();
        for lattice in lattices {
            for (spans, side) in spans.iter_mut().zip(&lattice.sides) {
                spans.extend(&side.spans);
            }
        }
        Some(spans.into_iter().map(joined).collect())
    }

    /// The objects of the plan's array `array`.
    #[must_use]
    pub fn grid(&self, array: usize) -> ObjectGrid {
        self.spans(array).map_or(
            ObjectGrid {
                is_empty: true,
                ..ObjectGrid::default()
            },
            ObjectGrid::new,
        )
    }
}

/// `spans` in order, those that touch as one.
fn joined(mut spans: ChunkSpans) -> ChunkSpans {
    spans.sort_unstable();
    let mut joined = ChunkSpans::new();
    for (first, end) in spans {
        match joined.last_mut() {
            Some(last) if first <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((first, end)),
        }
    }
    joined
}

impl ObjectGrid {
    /// Where these runs along all dimensions meet.
    fn new(spans: Vec<ChunkSpans>) -> Self {
        let mut lengths = Vec::new();
        let numbered = |spans: ChunkSpans| {
            let mut before = 0;
            let numbered = spans.into_iter().map(|(first, end)| {
                let start = before;
                before += end - first;
                (first, end, start)
            });
            let numbered = numbered.collect();
            lengths.push(before);
            numbered
        };
        Self {
            sides: spans.into_iter().map(numbered).collect(),
            lengths,
            is_empty: false,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        if self.is_empty {
            return 0;
        }
        self.lengths.iter().product()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the object at `chunk`; `None` if it is none of these.
    #[must_use]
    pub fn number(&self, chunk: &[u64]) -> Option<u64> {
        if self.is_empty || chunk.len() != self.sides.len() {
            return None;
        }
        let mut number = 0;
        for ((&at, side), &length) in chunk.iter().zip(&self.sides).zip(&self.lengths) {
            let run = side.partition_point(|(first, ..)| *first <= at);
            let (first, end, before) = side[run.checked_sub(1)?];
            if at >= end {
                return None;
            }
            number = number * length + before + (at - first);
        }
        Some(number)
    }

    /// The place of the object `number` in the array's chunk grid, in the place of what `chunk` has.
    pub fn place(&self, mut number: u64, chunk: &mut Vec<u64>) {
        chunk.resize(self.sides.len(), 0);
        for (d, side) in self.sides.iter().enumerate().rev() {
            let at = number % self.lengths[d];
            number /= self.lengths[d];
            let run = side.partition_point(|(.., before)| *before <= at) - 1;
            chunk[d] = side[run].0 + (at - side[run].2);
        }
    }
}

impl<'a> IntoIterator for &'a WorkUnits {
    type Item = WorkUnit;
    type IntoIter = Box<dyn Iterator<Item = WorkUnit> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sides() -> impl Strategy<Value = Vec<(ChunkSpans, u64)>> {
        let runs = proptest::collection::vec((1u64..4, 1u64..5), 1..4);
        let side = (runs, 1u64..4).prop_map(|(runs, step)| {
            let mut at = 0;
            let spans = runs.into_iter().map(|(gap, length)| {
                let first = at + gap;
                at = first + length;
                (first, at)
            });
            (spans.collect(), step)
        });
        proptest::collection::vec(side, 0..4)
    }

    proptest! {
        #[test]
        fn units_cover_each_object_once_and_numbers_are_places(
            sides in proptest::collection::vec(sides(), 1..4), owners in proptest::collection::vec(1usize..9, 0..6),
        ) {
            let lattices = sides.into_iter().enumerate();
            let lattices = lattices.map(|(array, sides)| UnitLattice::new(array, 9 - array, sides));
            let mut units = WorkUnits::new(lattices.collect());
            let mut at = 0;
            let owners = owners.into_iter().enumerate().map(|(rank, run)| {
                at += run;
                (at - run, rank % 3)
            });
            units.set_owners(owners.collect());
            let all: Vec<WorkUnit> = units.iter().collect();
            prop_assert_eq!(all.len(), units.len());
            for rank in 0..3 {
                let owned: Vec<usize> = units.owned(rank, |array| array != 1).collect();
                let expected = (0..all.len()).filter(|&i| all[i].owner == rank && all[i].array != 1);
                prop_assert_eq!(owned, expected.collect::<Vec<_>>());
            }
            for array in 0..3 {
                let grid = units.grid(array);
                let mut numbers = Vec::new();
                for unit in all.iter().filter(|unit| unit.array == array) {
                    let mut chunks = vec![Vec::new()];
                    for (&start, &count) in unit.chunks.start.iter().zip(&unit.chunks.count) {
                        chunks = chunks.iter().flat_map(|chunk: &Vec<u64>| {
                            (start..start + count).map(|i| [&chunk[..], &[i]].concat())
                        }).collect();
                    }
                    for chunk in chunks {
                        let number = grid.number(&chunk).unwrap();
                        let mut place = Vec::new();
                        grid.place(number, &mut place);
                        prop_assert_eq!(place, chunk);
                        numbers.push(number);
                    }
                }
                numbers.sort_unstable();
                prop_assert_eq!(numbers, (0..grid.len()).collect::<Vec<_>>());
                prop_assert_eq!(grid.len(), units.objects_of(array));
            }
        }
    }

    #[test]
    fn what_is_not_written_has_no_number() {
        let sides = [(vec![(2, 4), (7, 8)], 2), (vec![(0, 3)], 1)];
        let units = WorkUnits::new(vec![UnitLattice::new(0, 0, sides)]);
        let grid = units.grid(0);
        assert_eq!(grid.number(&[7, 2]), Some(8));
        for none in [&[1, 0][..], &[4, 0], &[8, 0], &[2, 3], &[2], &[]] {
            assert_eq!(grid.number(none), None, "{none:?}");
        }
        assert_eq!(units.grid(1).len(), 0);
        let scalar = WorkUnits::new(vec![UnitLattice::new(0, 0, [])]);
        assert_eq!((scalar.len(), scalar.grid(0).number(&[])), (1, Some(0)));
    }
}
