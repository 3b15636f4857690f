//! Rank 0's part before the broadcast: validate everything that can be, and plan.
//!
//! Key type: [`Prepared`].

use crate::cli::SendArgs;
use crate::exit::Failure;
use crate::plan::{
    self, Budget, ChunkStrategy, PlanError, Request, Settings, Steps, derive_prefix, new_steps,
};
use crate::source::{Archive, SourceError, list};
use crate::store::{Bucket, Found, layout, read_store};

/// What is to be done.
pub(super) struct Prepared {
    /// The plan; `None` when there is nothing to do.
    pub plan: Option<plan::Plan>,
    /// What a create that died left where stores will be created.
    pub remains: Vec<String>,
}

/// Reads the files' metadata and what the stores hold, checks that they fit, and plans.
pub(super) async fn prepare(
    args: &SendArgs,
    bucket: &Bucket,
    ranks: usize,
    budget: Budget,
) -> Result<Prepared, Failure> {
    let (strategy, codec) = (args.strategy()?, args.codec()?);
    let archive = Archive::open(&args.filepaths, &args.append_dim)?;
    let variables = chosen(&archive, &args.variables)?;
    let prefix = prefix(args, &archive)?;
    bucket.reach(&prefix).await?;
    let mut requests = Vec::new();
    let mut remains = Vec::new();
    for variable in &variables {
        let members = members(&archive, variable);
        archive.check_members(&members)?;
        let key = layout::store_key(&prefix, variable);
        let stored = match read_store(bucket, &key, &archive.axis).await? {
            Found::Nothing => None,
            Found::Remains(keys) => {
                eprintln!(
                    "msm_os: store '{key}': {} objects of a send that died lie there and will be removed",
                    keys.len()
                );
                remains.extend(keys);
                None
            }
            Found::Store(stored) => Some(stored),
        };
        if let Some(stored) = &stored
            && members.contains(&archive.axis)
            && new_steps(&key, &stored.steps, &archive.steps())? == Steps::AllStored
        {
            println!(
                "store '{key}': all {} steps are there already, skipped",
                archive.steps().len()
            );
            continue;
        }
        requests.push(Request {
            key,
            members,
            stored,
        });
    }
    if requests.is_empty() {
        println!("nothing to do");
        return Ok(Prepared {
            plan: None,
            remains,
        });
    }
    tell_what_is_clipped(&archive, &variables, &strategy);
    let settings = Settings {
        strategy,
        codec,
        ranks,
        budget,
    };
    let plan = plan::plan(&archive, &requests, &settings)?;
    println!("{plan}");
    Ok(Prepared {
        plan: Some(plan),
        remains,
    })
}

/// The variables to send: those asked for, each once, or all data variables.
fn chosen(archive: &Archive, asked: &[String]) -> Result<Vec<String>, SourceError> {
    let catalogue = archive.catalogue();
    if asked.is_empty() {
        return Ok(catalogue.data_variables());
    }
    let mut chosen: Vec<String> = Vec::new();
    for name in asked {
        if catalogue.variable(name).is_none() {
            return Err(SourceError::UnknownVariable {
                path: catalogue.path.clone(),
                variable: name.clone(),
                found: list(catalogue.variables.iter().map(|v| v.name.as_str())),
            });
        }
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

/// What the store of `variable` holds: the variable, its coordinates, and the archive's axis where it has steps.
fn members(archive: &Archive, variable: &str) -> Vec<String> {
    let catalogue = archive.catalogue();
    let mut members = catalogue.with_coordinates(variable);
    let grows = catalogue
        .variable(variable)
        .is_some_and(|v| v.dimensions.contains(&archive.append_dimension));
    if grows {
        for name in catalogue.with_coordinates(&archive.axis) {
            if !members.contains(&name) {
                members.push(name);
            }
        }
    }
    members
}

/// The prefix asked for, or the one all files' names give.
fn prefix(args: &SendArgs, archive: &Archive) -> Result<String, Failure> {
    if let Some(prefix) = args.store.prefix()? {
        return Ok(prefix);
    }
    let mut prefix: Option<String> = None;
    for file in &archive.files {
        let name = file
            .catalogue
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let derived = derive_prefix(&name)?;
        match &prefix {
            Some(first) if *first != derived => {
                return Err(PlanError::Prefixes {
                    first: first.clone(),
                    second: derived,
                }
                .into());
            }
            _ => prefix = Some(derived),
        }
    }
    Ok(prefix.unwrap_or_default())
}

fn tell_what_is_clipped(archive: &Archive, variables: &[String], strategy: &ChunkStrategy) {
    for (dimension, &asked) in &strategy.0 {
        let has = |name: &String| {
            archive
                .catalogue()
                .variable(name)
                .is_some_and(|v| v.dimensions.contains(dimension))
        };
        let size = archive.catalogue().dimension(dimension).unwrap_or(u64::MAX);
        if *dimension != archive.append_dimension && asked > size && variables.iter().any(has) {
            eprintln!(
                "msm_os: --chunk_strategy: {asked} along '{dimension}' is clipped to its size, {size}"
            );
        }
    }
}
