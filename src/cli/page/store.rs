//! What a page says of one store.
//!
//! Key function: [`section`].

use maud::{Markup, PreEscaped, html};
use msm_chart::escaped_apart;

use super::attributes::{all, meaning, terms};
use super::files::StorePlaces;
use super::html::MAPS;
use crate::cli::markup::{program, wide};
use crate::cli::words::{bytes_shown, counted, state_shown, variable_row, verified_when_written};
use crate::verbs::history::CommandRecord;
use crate::verbs::list::{StoreState, VariableInfo};
use crate::verbs::open::OpenableStore;
use crate::verbs::page::{DrawnMap, StoreDetails, StoreLedger};

/// Commands that are told of, the last ones.
const COMMANDS: usize = 5;

/// All that is said of `store`.
pub(super) fn section(
    store: &OpenableStore,
    details: &StoreDetails,
    place: &StorePlaces<'_>,
) -> Markup {
    let info = &store.info;
    let attributes = all(store);
    html! {
        section id=(place.anchor) aria-labelledby={ (place.anchor) "-name" } {
            h2 id={ (place.anchor) "-name" } { (info.store) }
            (facts(store, place))
            @if let Some(problem) = &info.problem { p { strong { (problem) } } }
            @if !details.maps.is_empty() {
                h3 { "The last step" }
                div.maps { @for (map, name) in details.maps.iter().zip(place.maps) { (figure(map, name)) } }
            }
            @if let Some(problem) = &details.problem { p { "No map: " bdi { (problem) } } }
            @for coordinate in &details.unstored { p { bdi { (coordinate) } } }
            @for (variable, why) in &details.left_out { p { "No map of " code { bdi { (variable) } } ": " bdi { (why) } } }
            @if !info.variables.is_empty() {
                h3 { "Variables" }
                (wide("Variables", &variables(store)))
            }
            @if !place.python.is_empty() {
                h3 { "Open it in Python" }
                (program("Lines of Python that open it", &place.python))
            }
            (ledger(store, details.ledger.as_ref()))
            @if !attributes.is_empty() {
                details {
                    summary { "Global attributes" }
                    dl.list { @for (name, value) in &attributes { div { dt { (name) } dd { (value) } } } }
                }
            }
        }
    }
}

fn facts(store: &OpenableStore, place: &StorePlaces<'_>) -> Markup {
    let info = &store.info;
    let bbox = store.metadata.as_ref().and_then(|metadata| metadata.bbox);
    html! {
        dl.list {
            @if info.state != StoreState::Whole { div { dt { "State" } dd { (state_shown(info)) } } }
            div { dt { "Where" } dd { code { (place.url) } } }
            @if let Some(time) = &info.time {
                div { dt { "Period" } dd {
                    (time.first) " to " (time.last) ", " (counted(time.steps, "steps"))
                    @if !time.calendar.is_empty() { " (" bdi { (time.calendar) } ")" }
                } }
            }
            @if let Some([west, south, east, north]) = bbox {
                div { dt { "Region" } dd { "longitudes " (west) " to " (east) ", latitudes " (south) " to " (north) } }
            }
            @if let (Some(objects), Some(bytes)) = (info.objects, info.stored_bytes) {
                div { dt { "Size" } dd {
                    (counted(objects, "objects")) ", " (bytes_shown(bytes))
                    @if let Some(decoded) = info.decoded_bytes { " stored of " (bytes_shown(decoded)) " decoded" }
                } }
            }
            @if let Some(format) = info.zarr_format { div { dt { "Format" } dd { "Zarr v" (format) } } }
            @for (term, text) in terms(store) { div { dt { (term) } dd { (text) } } }
            @if let Some(item) = &place.item { div { dt { "Catalogue" } dd { a href=(item) { "STAC item" } } } }
        }
    }
}

fn figure(map: &DrawnMap, name: &str) -> Markup {
    let [before, title, after] = &map.words;
    html! {
        figure {
            img src={ (MAPS) "/" (name) } alt=(PreEscaped(escaped_apart(&map.words))) loading="lazy";
            figcaption { (before) bdi { (title) } (after) }
        }
    }
}

fn variables(store: &OpenableStore) -> Markup {
    html! {
        table {
            thead { tr {
                @for name in ["Variable", "Meaning", "Units", "Type", "Shape", "Chunks", "Codecs", "Decoded"] { th scope="col" { (name) } }
            } }
            tbody { @for variable in &store.info.variables { (variable_cells(store, variable)) } }
        }
    }
}

fn variable_cells(store: &OpenableStore, variable: &VariableInfo) -> Markup {
    let [name, dtype, shape, chunks, codecs] = variable_row(variable);
    let [meaning, units] = meaning(store, &variable.name);
    let decoded = variable.decoded_bytes.map(bytes_shown);
    let cells = [
        meaning,
        units,
        dtype,
        shape,
        chunks.trim_start_matches("chunks ").to_owned(),
        codecs,
        decoded.unwrap_or_default(),
    ];
    html! { tr { th scope="row" { (name) } @for cell in &cells { td { (cell) } } } }
}

fn ledger(store: &OpenableStore, ledger: Option<&StoreLedger>) -> Markup {
    let Some(ledger) = ledger else {
        return html! {
            @if store.group.is_none() && store.can_be_opened { p { "It has no ledger: nothing is known of how it was written." } }
        };
    };
    let commands = &ledger.commands;
    let more = commands.len().saturating_sub(COMMANDS);
    html! {
        @if !commands.is_empty() {
            h3 { "Last commands" }
            (wide("Last commands", &html! {
                table {
                    thead { tr { @for name in ["When", "What", "Steps", "Files"] { th scope="col" { (name) } } } }
                    tbody { @for command in commands.iter().take(COMMANDS) { (command_cells(command)) } }
                }
            }))
        }
        @if more > 0 { p { "And " (more) " before." } }
        @if let Some(problem) = &ledger.problem { p { "The ledger cannot be read: " bdi { (problem) } } }
        p { (verified_when_written(ledger)) }
    }
}

fn command_cells(command: &CommandRecord) -> Markup {
    html! {
        tr {
            th scope="row" { (command.begun) }
            td { (command.did.join(", ")) }
            td { (command.steps) }
            td {
                @if let Some(files) = &command.files {
                    bdi { (files.first) }
                    @if files.count > 1 { " to " bdi { (files.last) } ", " (counted(files.count, "files")) }
                }
            }
        }
    }
}
