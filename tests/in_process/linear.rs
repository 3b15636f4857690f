//! What a send costs by the number of its files: counted in allocations of rank 0's own thread, whatever else the machine does.

use super::support::{LONG, line, month, run, set_lease_times};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

#[test]
fn twice_the_files_cost_twice_as_much() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let files: Vec<String> = (1..=32).map(|i| month(root.path(), i, 0)).collect();
    let cost = |files: &[String]| {
        let link = World::new(Conditional::Enforced).link(Vec::new());
        let mut words = vec!["send", "-f"];
        words.extend(files.iter().map(String::as_str));
        let words = line(&words);
        let measured = allocation_counter::measure(|| assert_eq!(run(&link, &words), Exit::Ok));
        measured.count_total
    };
    let [first, second, third] = [8, 16, 32].map(|n| cost(&files[..n]));
    // Without what comes once, however many there are.
    let (of_8, of_16) = (second - first, third - second);
    assert!(
        of_16 * 10 <= of_8 * 22,
        "8 more files {of_8} allocations, 16 more {of_16}"
    );
}
