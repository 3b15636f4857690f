//! What of the files goes into stores: data variables with their coordinates. All files must have the same.

use super::archive::Archive;
use super::catalogue::Catalogue;
use super::error::ArchiveError;

impl Archive {
    /// What the store of `mains` holds: these first, then their coordinates, and the archive's axis where one has steps.
    #[must_use]
    pub fn members(&self, mains: &[String]) -> Vec<String> {
        self.members_in(&self.catalogue, mains)
    }

    /// What other files have for the stores of the variables `named`, or if none are of all, and the first one lacks: one
    /// problem a variable and file. Stores are made as the first file is, so it would be left out.
    #[must_use]
    pub fn surplus(&self, named: &[String]) -> Vec<ArchiveError> {
        let others = self.files.iter().skip(1);
        others
            .flat_map(|file| {
                let catalogue = &file.catalogue;
                let mains = match named {
                    [] => catalogue.data_variables(),
                    named => named.to_vec(),
                };
                let mut members = self.members_in(catalogue, &mains);
                members.retain(|name| {
                    catalogue.variable(name).is_some() && self.catalogue.variable(name).is_none()
                });
                members.into_iter().map(|name| ArchiveError::Mismatch {
                    path: catalogue.path.clone(),
                    other: self.catalogue.path.clone(),
                    problem: format!("has variable '{name}', which the first file lacks"),
                })
            })
            .collect()
    }

    fn members_in(&self, catalogue: &Catalogue, mains: &[String]) -> Vec<String> {
        let mut members = mains.to_vec();
        let mut add = |names: Vec<String>| {
            for name in names {
                if !members.contains(&name) {
                    members.push(name);
                }
            }
        };
        for main in mains {
            add(catalogue.with_coordinates(main));
            let variable = catalogue.variable(main);
            let unnamed = variable.map(|v| catalogue.unnamed_horizontal(v));
            for name in unnamed.into_iter().flatten() {
                add(catalogue.with_coordinates(&name));
            }
            if variable.is_some_and(|v| v.dimensions.contains(&self.append_dimension)) {
                add(catalogue.with_coordinates(&self.axis));
            }
        }
        members
    }
}
