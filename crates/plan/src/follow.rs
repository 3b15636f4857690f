//! Units that are reprojected from what another one reads: each stored chunk of the source is then inflated once for both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::target::{Derivation, Plan, TargetArray};
use super::units::WorkUnit;
use super::work_units::UnitLattice;

/// The dimensions of a horizontal field.
pub(super) const HORIZONTAL: usize = 2;

/// Which of `arrays` holds the variable that `array` is reprojected from, object by object along the leading dimensions,
/// and writes the same steps of it in the same phase.
pub(super) fn lead_of<'a>(
    array: &TargetArray,
    arrays: impl IntoIterator<Item = &'a TargetArray>,
) -> Option<usize> {
    let mut arrays = arrays.into_iter();
    arrays.position(|lead| {
        let leading = array.chunk.len().saturating_sub(HORIZONTAL);
        matches!(array.origin.form, Derivation::Projected { .. })
            && lead.origin.form == Derivation::AsRead
            && lead.origin.variable == array.origin.variable
            && lead.phase == array.phase
            && lead.append == array.append
            && !lead.stores.is_empty()
            && lead.chunk.len() == array.chunk.len()
            && lead.chunk[..leading] == array.chunk[..leading]
    })
}

/// The units of `array`, the array of index `index`, that follow those of its `lead`.
pub(super) fn following(
    lattices: &[UnitLattice],
    lead: usize,
    array: &TargetArray,
    index: usize,
) -> Vec<UnitLattice> {
    let chunks = array.shape.iter().zip(&array.chunk);
    let chunks: Vec<u64> = chunks.map(|(n, length)| n.div_ceil(*length)).collect();
    let of_lead = lattices.iter().filter(|units| units.array == lead);
    let whole = &chunks[chunks.len() - HORIZONTAL..];
    let follow = |units: &UnitLattice| units.clone().of_array(index, whole);
    of_lead.map(follow).collect()
}

/// Tells units which ones follow them.
pub(super) fn pair(plan: &mut Plan) {
    type Place = (usize, usize, Vec<u64>);
    let place = |array: usize, unit: &WorkUnit| -> Place {
        let leading = unit.chunks.start.len().saturating_sub(HORIZONTAL);
        (array, unit.file, unit.chunks.start[..leading].to_vec())
    };
    let leads = plan.arrays.iter().enumerate();
    let leads: BTreeMap<usize, usize> = leads
        .filter_map(|(index, array)| Some((index, lead_of(array, &plan.arrays)?)))
        .collect();
    let mut followers: HashMap<Place, Vec<usize>> = HashMap::new();
    for (number, unit) in plan
        .units
        .of_lattices(|units| leads.contains_key(&units.array))
    {
        let place = place(leads[&unit.array], &unit);
        followers.entry(place).or_default().push(number);
    }
    let mut paired = BTreeMap::new();
    let leading: BTreeSet<usize> = leads.values().copied().collect();
    for (number, unit) in plan
        .units
        .of_lattices(|units| leading.contains(&units.array))
    {
        let followers = followers.remove(&place(unit.array, &unit));
        paired.extend(followers.into_iter().flatten().map(|one| (one, number)));
    }
    let following: Vec<usize> = leads.into_keys().collect();
    plan.units.set_leads(&following, paired);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::super::tests::{Case, archive, cases, indices, request, settings, stored};
    use super::super::*;
    use super::HORIZONTAL;
    use msm_model::{DType, Problems};
    use msm_reproject::{Method, TargetGrid};

    fn projection(ny: u64, nx: u64) -> Projection {
        let field = Field {
            path: PathBuf::from("0.nc"),
            variable: "nav".to_owned(),
            dtype: DType::F32,
            leading: 0,
            fill: None,
        };
        Projection {
            cells: Cells {
                ny: usize::try_from(ny).unwrap(),
                nx: usize::try_from(nx).unwrap(),
                coordinates: ["lon", "lat"].map(str::to_owned),
                longitude: field.clone(),
                latitude: field,
                corners: None,
            },
            method: Method::Nearest,
            grid: TargetGrid::global(7, 5),
            digest: String::new(),
        }
    }

    /// The plan that sends `v` and what it is reprojected to; into a store that has `v` already, if the case has one.
    fn planned(case: &Case, strategy: &str) -> Result<Plan, Problems<PlanError>> {
        let archive = archive(case);
        let [.., ny, nx] = case.others[..] else {
            panic!("a case of two dimensions")
        };
        let projection = projection(ny, nx);
        let mut request = request("p/v.zarr", stored(case, &archive), &archive);
        let variable = archive.catalogue.variable("v").unwrap();
        request.added = vec![projected(variable, &projection, 0)];
        request.added.extend(coordinates(&projection.grid));
        let strategy = ChunkStrategy::parse(STRATEGY_FLAG, strategy).unwrap();
        let mut settings = settings(case, strategy, 1 << 30);
        settings.task.goal = Goal::Send {
            replace: true,
            add_variables: true,
        };
        settings.projections.all = vec![projection];
        plan(&archive, &[request], &settings)
    }

    fn planes() -> impl Strategy<Value = Case> {
        cases().prop_filter("two dimensions", |case| case.others.len() > 1)
    }

    proptest! {
        #[test]
        fn each_reprojected_object_has_one_unit_on_the_rank_that_reads_its_fields(
            case in planes(),
            chunks in proptest::sample::select(vec!["{}", r#"{"projected_y": 2, "projected_x": 3}"#]),
        ) {
            let plan = planned(&case, chunks).unwrap();
            let index = plan.arrays.iter().position(|a| a.name == "projected_v").unwrap();
            let array = &plan.arrays[index];
            let steps = case.old + case.files.iter().sum::<u64>();
            let leading = array.shape.len() - HORIZONTAL;
            prop_assert_eq!(array.shape[0], steps);
            prop_assert_eq!(&array.shape[leading..], &[5, 7]);
            let mut objects = BTreeSet::new();
            for (at, unit) in plan.units.iter().enumerate().filter(|(_, u)| u.array == index) {
                for chunk in indices(&unit.chunks) {
                    prop_assert!(objects.insert(chunk), "two units own one object");
                }
                // A whole horizontal field at a time.
                for d in leading..array.shape.len() {
                    prop_assert_eq!(unit.chunks.start[d], 0);
                    prop_assert_eq!(unit.chunks.count[d], array.shape[d].div_ceil(array.chunk[d]));
                }
                let lead = plan.units.iter().find(|lead| lead.followers.contains(&at));
                prop_assert_eq!(lead.is_some(), unit.follows);
                if let Some(lead) = lead {
                    prop_assert_eq!(&plan.arrays[lead.array].name, "v");
                    prop_assert_eq!(lead.owner, unit.owner);
                    prop_assert_eq!(lead.chunks.start[..leading].to_vec(), unit.chunks.start[..leading].to_vec());
                    prop_assert!(lead.memory(&plan) >= 3 * (lead.bytes(&plan) + unit.bytes(&plan)));
                }
            }
            let written = case.replaced().chain(case.old..steps);
            let along_time: BTreeSet<u64> = written.map(|step| step / array.chunk[0]).collect();
            let others: u64 = (1..array.shape.len()).map(|d| array.shape[d].div_ceil(array.chunk[d])).product();
            prop_assert_eq!(objects.len() as u64, along_time.len() as u64 * others);
            // Where the store is new, both write the same steps.
            let follows = plan.units.iter().filter(|u| u.array == index).all(|u| u.follows);
            prop_assert!(follows || case.old > 0);
        }
    }

    #[test]
    fn what_is_added_to_a_store_reads_its_fields_itself() {
        let case = Case {
            others: vec![4, 6],
            stored: None,
            chunk: vec![1, 4, 6],
            old: 2,
            files: vec![1],
            replaced: vec![true, true],
            ranks: 2,
        };
        let plan = planned(&case, "{}").unwrap();
        let of = |name: &str| {
            let index = plan.arrays.iter().position(|a| a.name == name).unwrap();
            let units = plan.units.iter().filter(move |u| u.array == index);
            units.collect::<Vec<_>>()
        };
        // Two arrays that hold different numbers of steps before: only one has undo copies to read.
        assert!(of("projected_v").iter().all(|unit| !unit.follows));
        assert!(of("v").iter().all(|unit| unit.followers.is_empty()));
        let fields = 4 * 6 * 4;
        let unit = &of("projected_v")[0];
        assert!(unit.memory(&plan) >= 3 * unit.bytes(&plan) + fields);
    }
}
