//! Standard error, which lines share with a bar: the bar steps aside for each of them.
//!
//! Key functions: [`above_bar`]; [`draw_bar`], [`clear_bar`]; [`say`].

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::printer::document;
use super::progress::Now;

/// What clears the line of the cursor.
const CLEAR: &str = "\r\u{1b}[K";

/// The bar that is drawn now. A process has one screen.
static BAR: Mutex<Option<String>> = Mutex::new(None);
/// How often something was written beside it.
static LINES: AtomicU64 = AtomicU64::new(0);
/// Is every line a JSON object?
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Draws this bar, over what was there of it.
pub(super) fn draw_bar(line: String) {
    let mut bar = current();
    if bar.as_ref() != Some(&line) {
        write(&format!("{CLEAR}{line}"));
        *bar = Some(line);
    }
}

/// Removes the bar, if there is one.
pub(super) fn clear_bar() {
    if current().take().is_some() {
        write(CLEAR);
    }
}

/// From now on every line of standard error is an event in JSON, or is not.
pub(super) fn set_json(is_json: bool) {
    IS_JSON.store(is_json, Ordering::Relaxed);
}

/// Does `work`, which writes whole lines, where a bar is not in the way.
pub(super) fn above_bar<T>(work: impl FnOnce() -> T) -> T {
    let bar = current();
    if bar.is_some() {
        write(CLEAR);
    }
    let done = work();
    LINES.fetch_add(1, Ordering::Relaxed);
    if let Some(line) = &*bar {
        write(line);
    }
    done
}

/// How often something was written so far that is no bar, on either output.
pub(super) fn lines() -> u64 {
    LINES.load(Ordering::Relaxed)
}

/// Says `message` on standard error, in the program's name, or as an event. That it comes to nobody changes nothing of the work.
pub(super) fn say(message: &str) {
    if IS_JSON.load(Ordering::Relaxed) {
        say_event(json!({"event": "message", "text": message}));
    } else {
        // What comes from files may be in it; a terminal obeys what it is told.
        let lines: Vec<String> = message.lines().map(msm_chart::harmless).collect();
        above_bar(|| write(&format!("msm_os: {}\n", lines.join("\n"))));
    }
}

/// Says an event, an object with its fields.
pub(super) fn say_event(event: Value) {
    let mut line = json!({"format": "msm_os/event/1"});
    if let (Value::Object(line), Value::Object(mut event)) = (&mut line, event) {
        let name = event.shift_remove("event").unwrap_or_default();
        line.insert("event".to_owned(), name);
        line.insert("time".to_owned(), Now::here().time().into());
        line.extend(event);
    }
    above_bar(|| write(&format!("{}\n", document(&line))));
}

fn write(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
}

fn current() -> MutexGuard<'static, Option<String>> {
    // Nothing is left half done where something panics meanwhile.
    BAR.lock().unwrap_or_else(PoisonError::into_inner)
}
